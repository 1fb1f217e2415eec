package lease

import "slices"

// settle is for how many heartbeats a membership must stay the same before it
// is acted upon, so that a replica that restarts moves shares once, not twice.
const settle = 2

// damper turns observed memberships into the view that is acted upon.
type damper struct {
	view   []member // nil until there is one
	seen   []string
	stayed int // heartbeats since seen was new
}

// observe takes the membership of a heartbeat.
func (d *damper) observe(ids []string) {
	slices.Sort(ids)
	if slices.Equal(ids, d.seen) {
		d.stayed++
	} else {
		d.seen, d.stayed = ids, 0
	}
	// A first replica has nobody to share with and need not wait. A flushed
	// Redis also shows one at first, but then there is a view already.
	alone := d.view == nil && len(ids) == 1
	if !alone && d.stayed != settle {
		return
	}
	d.view = make([]member, len(ids))
	for i, id := range ids {
		d.view[i] = newMember(id)
	}
}
