package operation_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// left is a messaging database that is asked by somebody who leaves meanwhile.
type left struct {
	mailstore.Store
	leave context.CancelFunc
}

func (l left) Stats(ctx context.Context, tenant string) (mailstore.Stats, error) {
	l.leave()
	return l.Store.Stats(ctx, tenant)
}

// The list is read once for all who look at it: a page that is left while it is
// read does not spoil it for the others.
func TestALeftPageDoesNotSpoilTheList(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Desk.Stores["default"] = left{o.Store, cancel}
	in := &operation.ListMailboxes{InTenant: operation.InTenant{Tenant: "acme"}}
	_, _ = o.Desk.ListMailboxes(ctx, o.Rita.Actor, in) // nobody reads the answer
	page, err := o.Desk.ListMailboxes(t.Context(), o.Ann.Actor, in)
	if err != nil || len(page.Away) > 0 || page.Mailboxes[0].Today != 1 {
		t.Errorf("the next one sees %+v, %v", page, err)
	}
}

// Who leaves in the middle of a bulk action leaves no fault per mailbox in the log.
func TestABulkActionEndsWithWhoAskedForIt(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Desk.Stores["default"] = left{o.Store, cancel}
	_, err := o.Desk.BulkMailboxes(ctx, o.Ann.Actor, &operation.BulkMailboxes{
		InTenant: operation.InTenant{Tenant: "acme"}, Body: operation.Bulk{Action: operation.BulkDisable, IDs: []string{o.Acme.Mailbox}},
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
	if n := o.Logs.FilterLevelExact(zap.ErrorLevel).Len(); n > 0 {
		t.Errorf("%d faults are in the log", n)
	}
}

// What the landlord reads of a mailbox, the people of its tenant do not, whoever
// looked at the list first.
func TestOnlyTheLandlordReadsWhyAHostInsideCannotBeReached(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	m, err := o.Control.Enable(t.Context(), o.Lena.Actor, "acme", o.Acme.Mailbox, 0)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	state := schemas.MailboxState{Tenant: "acme", Mailbox: m.Document.ID, Status: schemas.StatusUnreachable, Detail: "the server cannot be reached", Since: now, ObservedAt: &now}
	if err := o.Desk.Leases.SetState(t.Context(), state, "10.1.2.3 refuses"); err != nil {
		t.Fatal(err)
	}
	for _, a := range []control.Actor{o.Lena.Actor, o.Ann.Actor, o.Rita.Actor, o.Lena.Actor} {
		want := state.Detail
		if a == o.Lena.Actor {
			want = "10.1.2.3 refuses"
		}
		row, err := o.Desk.MailboxFacts(t.Context(), a, &operation.MailboxFacts{InMailbox: mailboxOf(o.Acme)})
		if err != nil || row.In.Detail != want || row.Problem != want {
			t.Errorf("%s reads %+v, %v", a.Name, row, err)
		}
		states, err := o.Desk.ListStates(t.Context(), a, &operation.ListStates{InTenant: operation.InTenant{Tenant: "acme"}})
		if err != nil || len(states.States) != 1 || states.States[0].Detail != want {
			t.Errorf("%s reads %+v, %v", a.Name, states, err)
		}
	}
}
