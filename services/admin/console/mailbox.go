package console

// mailboxRoutes are the pages of this file.
func (c *console) mailboxRoutes() []route { return nil }
