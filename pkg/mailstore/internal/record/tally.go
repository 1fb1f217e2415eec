package record

import (
	"cmp"
	"slices"
)

// A Tally counts new mails of one mailbox and verdict.
type Tally struct {
	Tenant, Mailbox, Verdict, Reason string
	Mails, Bytes                     int64
}

// Tallies counts the new ones of some records, sorted by what they count: the
// order in which their rows are locked.
func (b *Batch) Tallies(which []int) []Tally {
	var ts []Tally
	at := map[Tally]int{}
	for _, i := range which {
		if !b.Outcomes[i].New {
			continue
		}
		r := b.Records[i]
		group := Tally{Tenant: r.Key.Tenant, Mailbox: r.Key.Mailbox, Verdict: r.Verdict, Reason: r.Reason}
		n, ok := at[group]
		if !ok {
			n = len(ts)
			at[group] = n
			ts = append(ts, group)
		}
		ts[n].Mails++
		ts[n].Bytes += r.Size
	}
	slices.SortFunc(ts, func(a, b Tally) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Mailbox, b.Mailbox), cmp.Compare(a.Verdict, b.Verdict), cmp.Compare(a.Reason, b.Reason))
	})
	return ts
}
