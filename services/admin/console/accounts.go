package console

// accountRoutes are the pages of this file.
func (c *console) accountRoutes() []route { return nil }
