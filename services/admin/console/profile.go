package console

// profileRoutes are the pages of this file.
func (c *console) profileRoutes() []route { return nil }
