package console

// auditRoutes are the pages of this file.
func (c *console) auditRoutes() []route { return nil }
