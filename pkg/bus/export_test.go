package bus

import "time"

// AllowPerStep sets how long the store may take for one step of a Put.
func (b *Blobs) AllowPerStep(d time.Duration) { b.step = d }
