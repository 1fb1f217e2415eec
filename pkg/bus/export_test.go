package bus

import "time"

// AllowPerStep sets how long the store may take for one step of a Put.
func (b *Blobs) AllowPerStep(d time.Duration) { b.step = d }

// RetrySoon makes the retries of the connection's messages due at once.
func (c *Conn) RetrySoon() {
	for i := range c.delays {
		c.delays[i] = time.Millisecond
	}
}
