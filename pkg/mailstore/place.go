package mailstore

import "time"

// A Place is where a page of mails ended: where its last mail is in the order
// of the list. The next page is found from it alone, also when that mail is gone
// meanwhile, and costs the same wherever it begins.
type Place struct {
	At  time.Time // when the mail was persisted; of no account without a tenant
	Seq int64
}

// Place returns where the mail is in a list.
func (s Summary) Place() Place { return Place{At: s.PersistedAt, Seq: s.Seq} }

// IsZero reports whether it is before the first page.
func (p Place) IsZero() bool { return p == Place{} }
