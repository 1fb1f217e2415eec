package console

// parameterRoutes are the pages of this file.
func (c *console) parameterRoutes() []route { return nil }
