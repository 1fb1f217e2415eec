package console

// simulatorRoutes are the pages of this file.
func (c *console) simulatorRoutes() []route { return nil }
