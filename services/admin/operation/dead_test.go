package operation_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// Nothing is done with a dead letter that the audit does not tell of.
func TestTheAuditIsWrittenBeforeADeadLetterIsSettled(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	in := operation.InDeadLetter{InTenant: operation.InTenant{Tenant: "acme"}, Sequence: o.Acme.Dead}
	other := in
	other.Sequence = o.Rival.Dead
	if _, err := o.Desk.DropDeadLetter(t.Context(), o.Ann.Actor, &operation.DropDeadLetter{InDeadLetter: other}); operation.ProblemOf(err).Status != http.StatusNotFound {
		t.Errorf("another tenant's letter: %v", err)
	}
	entries := func() []operation.AuditEntry {
		page, err := o.Desk.ListAudit(t.Context(), o.Ann.Actor, &operation.ListAudit{Kind: "dead-letter"})
		if err != nil {
			t.Fatal(err)
		}
		return page.Entries
	}
	if e := entries(); len(e) != 0 {
		t.Errorf("the audit tells of what was not done: %+v", e)
	}
	// Readers of the audit are served, nobody writes.
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	locked, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- o.Control.Update(t.Context(), o.Lena.Actor, func(*control.Tx) error { close(locked); <-release; return nil })
	}()
	<-locked
	_, err := o.Desk.DropDeadLetter(ctx, o.Ann.Actor, &operation.DropDeadLetter{InDeadLetter: in})
	close(release)
	if err == nil {
		t.Error("it was done without an entry in the audit")
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, err := o.Desk.GetDeadLetter(t.Context(), o.Ann.Actor, &operation.GetDeadLetter{InDeadLetter: in}); err != nil {
		t.Errorf("the letter: %v", err)
	}
	if _, err := o.Desk.DropDeadLetter(t.Context(), o.Ann.Actor, &operation.DropDeadLetter{InDeadLetter: in}); err != nil {
		t.Fatal(err)
	}
	if e := entries(); len(e) != 1 || e[0].Change != "drop asked for" || e[0].Actor != o.Ann.Actor.Name {
		t.Errorf("the audit tells %+v", e)
	}
}
