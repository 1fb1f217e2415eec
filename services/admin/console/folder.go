package console

// folderRoutes are the pages of this file.
func (c *console) folderRoutes() []route { return nil }
