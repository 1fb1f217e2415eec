package persister

import (
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
)

// suspectAfter is how many deliveries make a mail suspect: a process that held
// it died or hung twice. It is handled alone, so that it cannot take others
// with it, and whoever was only beside it ends well; at the last delivery it is
// given up unseen.
const (
	suspectAfter = 3
	parkAfter    = bus.MaxDeliver
)

func suspect(m *bus.Message) bool { return m.Deliveries() >= suspectAfter }

// A gatherer makes batches of the messages of one subscription.
type gatherer struct {
	messages <-chan *bus.Message
	limits   limits
	held     *bus.Message // a suspect that ended the batch before it
}

// next returns a batch: as many messages as there are, up to the limits; but
// none waits longer than the linger time for others, and a suspect comes alone.
// more is false when no further message will come.
func (g *gatherer) next() (batch []*bus.Message, more bool) {
	if m := g.held; m != nil {
		g.held = nil
		return []*bus.Message{m}, true
	}
	var size int64
	var linger <-chan time.Time
	for len(batch) < g.limits.messages && size < g.limits.bytes {
		select {
		case m, ok := <-g.messages:
			switch {
			case !ok:
				return batch, false
			case suspect(m) && len(batch) == 0:
				return []*bus.Message{m}, true
			case suspect(m):
				g.held = m
				return batch, true
			}
			batch = append(batch, m)
			size += announcedSize(m)
			if linger == nil {
				t := time.NewTimer(g.limits.linger)
				defer t.Stop()
				linger = t.C
			}
		case <-linger:
			return batch, true
		}
	}
	return batch, true
}
