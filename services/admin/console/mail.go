package console

// mailRoutes are the pages of this file.
func (c *console) mailRoutes() []route { return nil }
