package console

// tenantRoutes are the pages of this file.
func (c *console) tenantRoutes() []route { return nil }
