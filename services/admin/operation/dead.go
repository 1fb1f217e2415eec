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
)

func isNotFound(err error) bool {
	return errors.Is(err, mailstore.ErrNotFound) || errors.Is(err, bus.ErrNotFound) || errors.Is(err, control.ErrNotFound)
}

// ListDeadLetters asks for a tenant's dead letters.
type ListDeadLetters struct {
	InTenant
	Mailbox string        `query:"mailbox" json:"mailbox,omitempty" doc:"Id of the mailbox."`
	Stage   schemas.Stage `query:"stage" json:"stage,omitempty" enum:"fetcher,classifier,persister,disposer" doc:"The stage that gave up."`
	Before  uint64        `query:"before" json:"before,omitempty" doc:"next of another page."`
	Limit   int           `query:"limit" json:"limit,omitempty" minimum:"0" maximum:"100" doc:"Most letters of the page; 0 is 50."`
}

// DeadLetters is a page of dead letters, the newest first.
type DeadLetters struct {
	Letters []bus.DeadLetter `json:"letters"`
	Next    uint64           `json:"next,omitempty"` // 0: there are no more
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
	letters, err := d.Bus.DeadLetters(ctx, bus.DeadQuery{Tenant: in.Tenant, Mailbox: in.Mailbox, Stage: in.Stage, Before: in.Before, Limit: limit + 1})
	if err != nil {
		return DeadLetters{}, err
	}
	page := DeadLetters{Letters: append([]bus.DeadLetter{}, letters...)}
	if len(page.Letters) > limit {
		page.Letters = page.Letters[:limit]
		page.Next = page.Letters[limit-1].Sequence
	}
	for i, letter := range page.Letters {
		page.Letters[i] = forActor(a, letter)
	}
	return page, nil
}

// InDeadLetter is the part of an input that names a dead letter.
type InDeadLetter struct {
	InTenant
	Sequence uint64 `path:"sequence" json:"sequence" doc:"Number of the dead letter."`
}

// GetDeadLetter asks for a dead letter.
type GetDeadLetter struct{ InDeadLetter }

// DeadLetter is a dead letter with what was given up.
type DeadLetter struct {
	bus.DeadLetter
	Text string `json:"text,omitempty"` // what was given up, when it is text
}

// GetDeadLetter returns a dead letter.
func (d *Desk) GetDeadLetter(ctx context.Context, a control.Actor, in *GetDeadLetter) (DeadLetter, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return DeadLetter{}, err
	}
	letter, err := d.Bus.DeadLetterOf(ctx, in.Tenant, in.Sequence)
	if err != nil {
		return DeadLetter{}, in.missing(err)
	}
	out := DeadLetter{DeadLetter: forActor(a, letter)}
	if utf8.Valid(letter.Data.Payload) {
		out.Text = string(letter.Data.Payload)
	}
	return out, nil
}

// ReplayDeadLetter gives the mails of a dead letter another chance.
type ReplayDeadLetter struct{ InDeadLetter }

// ReplayDeadLetter gives the mails of a dead letter another chance.
func (d *Desk) ReplayDeadLetter(ctx context.Context, a control.Actor, in *ReplayDeadLetter) (Done, error) {
	return d.settle(ctx, a, in.InDeadLetter, "replay asked for", d.Bus.ReplayOf, "Dead letter %d is on its way again.")
}

// DropDeadLetter deletes a dead letter.
type DropDeadLetter struct{ InDeadLetter }

// DropDeadLetter deletes a dead letter. Its mail stays in the inbox and is not
// fetched again.
func (d *Desk) DropDeadLetter(ctx context.Context, a control.Actor, in *DropDeadLetter) (Done, error) {
	return d.settle(ctx, a, in.InDeadLetter, "drop asked for", d.Bus.DropOf, "Dead letter %d is deleted. Its mail stays in the inbox and is left alone.")
}

// settle does what is done with a dead letter. The audit is written before: what
// it has is that somebody asked for it, and nothing is done without an entry.
func (d *Desk) settle(ctx context.Context, a control.Actor, in InDeadLetter, change string, settle func(context.Context, string, uint64) error, message string) (Done, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Done{}, err
	}
	if _, err := d.Bus.DeadLetterOf(ctx, in.Tenant, in.Sequence); isNotFound(err) { // one that cannot be read can be settled
		return Done{}, in.missing(err)
	}
	if err := d.audit(ctx, a, "dead-letter", in.Tenant, fmt.Sprint(in.Sequence), change); err != nil {
		return Done{}, err
	}
	if err := settle(ctx, in.Tenant, in.Sequence); err != nil {
		return Done{}, in.missing(err)
	}
	return done(message, in.Sequence), nil
}

func (in InDeadLetter) missing(err error) error {
	if isNotFound(err) {
		return missing(fmt.Sprintf("dead letter %d", in.Sequence))
	}
	return err
}
