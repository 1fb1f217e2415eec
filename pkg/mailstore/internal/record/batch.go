package record

import (
	"cmp"
	"slices"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// A Batch holds the distinct mails of a call of Persist, sorted by key. All
// writers lock rows in this order, so they wait for each other instead of
// running into a deadlock.
type Batch struct {
	Records  []*Record
	Outcomes []mailstore.Outcome // of each record; the back end fills them in

	input []int // the record of each mail of the input
	first []bool
}

// NewBatch returns the batch of the mails. Of those with the same key the first one counts.
func NewBatch(mails []mailstore.Mail) *Batch {
	b := &Batch{input: make([]int, len(mails)), first: make([]bool, len(mails))}
	order := make([]int, len(mails))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return compareKeys(mails[i].Key, mails[j].Key) })
	for _, i := range order {
		if n := len(b.Records); n == 0 || b.Records[n-1].Key != mails[i].Key {
			b.Records = append(b.Records, New(&mails[i]))
			b.first[i] = true
		}
		b.input[i] = len(b.Records) - 1
	}
	b.Reset()
	return b
}

// Reset forgets all outcomes, for another attempt.
func (b *Batch) Reset() {
	b.Outcomes = make([]mailstore.Outcome, len(b.Records))
}

// Rounds returns the records, by their place in Records, in the groups that have
// to be stored one after the other: mostly one. Only when a batch holds the same
// mail under two UIDVALIDITYs, because it changed while the first was under way,
// does the second wait for the row of the first.
func (b *Batch) Rounds() [][]int {
	type content struct{ tenant, mailbox, sha256 string }
	seen := make(map[content][]uint32, len(b.Records)) // UIDVALIDITYs, one per round
	var rounds [][]int
	for n, r := range b.Records {
		c := content{r.Key.Tenant, r.Key.Mailbox, r.SHA256}
		round := slices.Index(seen[c], r.Key.UIDValidity)
		if round < 0 {
			round = len(seen[c])
			seen[c] = append(seen[c], r.Key.UIDValidity)
		}
		if round == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[round] = append(rounds[round], n)
	}
	return rounds
}

// Result returns the outcomes in the order of the input.
func (b *Batch) Result() []mailstore.Outcome {
	out := make([]mailstore.Outcome, len(b.input))
	for i, n := range b.input {
		out[i] = b.Outcomes[n]
		out[i].New = out[i].New && b.first[i]
	}
	return out
}

func compareKeys(a, b schemas.MailKey) int {
	return cmp.Or(
		cmp.Compare(a.Tenant, b.Tenant),
		cmp.Compare(a.Mailbox, b.Mailbox),
		cmp.Compare(a.UIDValidity, b.UIDValidity),
		cmp.Compare(a.UID, b.UID),
	)
}
