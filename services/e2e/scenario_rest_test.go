package e2e_test

func failures() []scenario               { return nil }
func mailServerScenarios() []scenario    { return nil }
func configurationScenarios() []scenario { return nil }
