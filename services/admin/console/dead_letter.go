package console

// deadLetterRoutes are the pages of this file.
func (c *console) deadLetterRoutes() []route { return nil }
