package record

import (
	"cmp"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// A Candidate is a stored row whose mail was last seen in the inbox under
// another UIDVALIDITY.
type Candidate struct {
	Seq         int64
	UIDValidity uint32
	UID         uint32
	SHA256      string
	Size        int64
	FetchedAt   *time.Time
	Outcome     mailstore.Outcome // of the mail that the row turns out to hold
	taken       bool
}

// Candidates are the undisposed rows of one mailbox that mails of a batch may be.
type Candidates struct {
	rows []*Candidate
}

// NewCandidates returns the candidates in the order in which they are taken: by
// UID, as the mails of a batch come.
func NewCandidates(rows []*Candidate) *Candidates {
	slices.SortFunc(rows, func(a, b *Candidate) int {
		return cmp.Or(cmp.Compare(a.UIDValidity, b.UIDValidity), cmp.Compare(a.UID, b.UID))
	})
	return &Candidates{rows}
}

// Add adds a row unless it is there, in the order in which rows are taken.
func (c *Candidates) Add(row *Candidate) {
	for _, have := range c.rows {
		if have.Seq == row.Seq {
			return
		}
	}
	c.rows = append(c.rows, row)
}

// Take returns the row that holds the mail, nil if none does. Each row is taken
// once: two identical mails stay two rows. Rekey tells that the row has to get
// the record's key; without it the record is the late one, delivered again
// after its mail was fetched under a newer UIDVALIDITY, whose key has to stay.
func (c *Candidates) Take(r *Record) (row *Candidate, rekey bool) {
	for _, row := range c.rows {
		if row.taken || row.UIDValidity == r.Key.UIDValidity || row.SHA256 != r.SHA256 || row.Size != r.Size {
			continue
		}
		row.taken = true
		late := r.FetchedAt != nil && row.FetchedAt != nil && !r.FetchedAt.After(*row.FetchedAt)
		return row, !late
	}
	return nil, false
}

// OtherID returns the mail id for a record whose own id is taken by another
// mail: one that was first stored under this key, before the mailbox went
// through two changes of UIDVALIDITY and back.
func (r *Record) OtherID() string {
	sum := sha256.Sum256([]byte(r.Key.String() + "/" + r.SHA256))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}
