package imapconn

// Wake ends a Wait, or the next one, as if the server had told of new mail. It
// may be called beside any other method.
func (c *Conn) Wake() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}
