package operation

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

func isNotFound(err error) bool {
	return errors.Is(err, mailstore.ErrNotFound) || errors.Is(err, bus.ErrNotFound) || errors.Is(err, control.ErrNotFound)
}

// ListDeadLetters asks for a tenant's dead letters.
type ListDeadLetters struct {
	InTenant
	Mailbox string        `query:"mailbox" json:"mailbox,omitempty" doc:"Id of the mailbox."`
	Stage   schemas.Stage `query:"stage" json:"stage,omitempty" enum:"fetcher,classifier,persister,disposer" doc:"The stage that gave up."`
	Before  string        `query:"before" json:"before,omitempty" maxLength:"100" doc:"next of another page."`
	Limit   int           `query:"limit" json:"limit,omitempty" minimum:"0" maximum:"100" doc:"Most letters of the page; 0 is 50."`
}

// DeadLetters is a page of dead letters, the newest first.
type DeadLetters struct {
	Letters []DeadLetter `json:"letters"`
	Next    string       `json:"next,omitempty"` // empty: there are no more
}

// DeadLetter is a dead letter as it is shown.
type DeadLetter struct {
	bus.DeadLetter
	ID   string `json:"id"`             // names it
	Text string `json:"text,omitempty"` // what was given up, when it is text; not in lists
}

// ListDeadLetters returns a tenant's dead letters: what a stage gave up. Their
// mail is still in the inbox.
func (d *Desk) ListDeadLetters(ctx context.Context, a control.Actor, in *ListDeadLetters) (DeadLetters, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return DeadLetters{}, err
	}
	if in.Limit < 0 || in.Limit > 100 {
		return DeadLetters{}, Invalid(config.Problem{Path: "limit", Message: fmt.Sprintf("%d is not within 0 and 100", in.Limit)})
	}
	if _, err := d.Control.GetTenant(ctx, a, in.Tenant); err != nil {
		return DeadLetters{}, err
	}
	limit := in.Limit
	if limit == 0 {
		limit = 50
	}
	s := d.Control.Sealer(deadNumber, in.Tenant)
	from, err := before(in.Before, s)
	if err != nil {
		return DeadLetters{}, err
	}
	letters, err := d.Bus.DeadLetters(ctx, bus.DeadQuery{Tenant: in.Tenant, Mailbox: in.Mailbox, Stage: in.Stage, Before: uint64(from), Limit: limit + 1})
	if err != nil {
		return DeadLetters{}, err
	}
	page := DeadLetters{Letters: []DeadLetter{}}
	for i, letter := range letters {
		if i == limit {
			page.Next = page.Letters[i-1].ID
			break
		}
		page.Letters = append(page.Letters, DeadLetter{DeadLetter: forActor(a, letter), ID: s.Seal(int64(letter.Sequence))})
	}
	return page, nil
}

// InDeadLetter is the part of an input that names a dead letter.
type InDeadLetter struct {
	InTenant
	ID string `path:"letter" json:"id" maxLength:"100" doc:"Id of the dead letter."`
}

// GetDeadLetter asks for a dead letter.
type GetDeadLetter struct{ InDeadLetter }

// GetDeadLetter returns a dead letter.
func (d *Desk) GetDeadLetter(ctx context.Context, a control.Actor, in *GetDeadLetter) (DeadLetter, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return DeadLetter{}, err
	}
	letter, err := d.Bus.DeadLetterOf(ctx, in.Tenant, d.sequence(in.InDeadLetter))
	if err != nil {
		return DeadLetter{}, in.missing(err)
	}
	if letter.Data, err = withoutRevision(letter.Data); err != nil {
		return DeadLetter{}, err
	}
	out := DeadLetter{DeadLetter: forActor(a, letter), ID: in.ID}
	if utf8.Valid(letter.Data.Payload) {
		out.Text = string(letter.Data.Payload)
	}
	return out, nil
}

// ReplayDeadLetter gives the mails of a dead letter another chance.
type ReplayDeadLetter struct{ InDeadLetter }

// ReplayDeadLetter gives the mails of a dead letter another chance.
func (d *Desk) ReplayDeadLetter(ctx context.Context, a control.Actor, in *ReplayDeadLetter) (Done, error) {
	return d.settle(ctx, a, in.InDeadLetter, "replay asked for", d.Bus.ReplayOf, "The dead letter is on its way again.")
}

// DropDeadLetter deletes a dead letter.
type DropDeadLetter struct{ InDeadLetter }

// DropDeadLetter deletes a dead letter. Its mail stays in the inbox and is not
// fetched again.
func (d *Desk) DropDeadLetter(ctx context.Context, a control.Actor, in *DropDeadLetter) (Done, error) {
	return d.settle(ctx, a, in.InDeadLetter, "drop asked for", d.Bus.DropOf, "The dead letter is deleted. Its mail stays in the inbox and is left alone.")
}

// kindDeadLetter is the kind of audit entries about dead letters.
const kindDeadLetter schemas.Kind = "dead-letter"

// settle does what is done with a dead letter. The audit is written before: what
// it has is that somebody asked for it, and nothing is done without an entry.
func (d *Desk) settle(ctx context.Context, a control.Actor, in InDeadLetter, change string, settle func(context.Context, string, uint64) error, message string) (Done, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Done{}, err
	}
	sequence := d.sequence(in)
	if _, err := d.Bus.DeadLetterOf(ctx, in.Tenant, sequence); isNotFound(err) { // one that cannot be read can be settled
		return Done{}, in.missing(err)
	}
	if err := d.audit(ctx, a, kindDeadLetter, in.Tenant, in.ID, change); err != nil {
		return Done{}, err
	}
	if err := settle(ctx, in.Tenant, sequence); err != nil {
		return Done{}, in.missing(err)
	}
	return done("%s", message), nil
}

func (in InDeadLetter) missing(err error) error {
	if isNotFound(err) {
		return missing("dead letter " + shorten(in.ID))
	}
	return err
}

// sequence returns the sequence that names a letter to package bus; 0, which no
// letter has, for an id that was not given for the tenant.
func (d *Desk) sequence(in InDeadLetter) uint64 {
	if n, ok := d.Control.Sealer(deadNumber, in.Tenant).Open(in.ID); ok && n > 0 {
		return uint64(n)
	}
	return 0
}

// withoutRevision takes the revision of the configuration out of a decision that
// was given up.
func withoutRevision(m schemas.NATSMessage) (schemas.NATSMessage, error) {
	var c schemas.ClassifiedMail
	if cloudevents.Attribute(m.Header, "type") != schemas.TypeMailClassified || c.UnmarshalBinary(m.Payload) != nil {
		return m, nil // it has none
	}
	c.Decision.Revision = 0
	payload, err := c.MarshalBinary()
	return schemas.NATSMessage{Header: m.Header, Payload: payload}, err
}
