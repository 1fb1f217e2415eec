package console

// systemRoutes are the pages of this file.
func (c *console) systemRoutes() []route { return nil }
