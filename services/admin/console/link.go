package console

// linkRoutes are the pages of this file.
func (c *console) linkRoutes() []route { return nil }
