package operation_test

import (
	"net/http"
	"testing"

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
		page, err := o.Desk.ListAudit(t.Context(), o.Lena.Actor, &operation.ListAudit{Kind: "dead-letter"})
		if err != nil {
			t.Fatal(err)
		}
		return page.Entries
	}
	if e := entries(); len(e) != 0 {
		t.Errorf("the audit tells of what was not done: %+v", e)
	}
	other.Tenant = "rival"
	if _, err := o.Desk.DropDeadLetter(t.Context(), o.Rob.Actor, &operation.DropDeadLetter{InDeadLetter: other}); err != nil {
		t.Fatal(err)
	}
	if e := entries(); len(e) != 1 || e[0].Change != "drop asked for" || e[0].Actor != o.Rob.Actor.Name {
		t.Errorf("the audit tells %+v", e)
	}
	if err := o.Control.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Desk.DropDeadLetter(t.Context(), o.Ann.Actor, &operation.DropDeadLetter{InDeadLetter: in}); err == nil {
		t.Error("it was done without an entry in the audit")
	}
	if _, err := o.Desk.GetDeadLetter(t.Context(), o.Ann.Actor, &operation.GetDeadLetter{InDeadLetter: in}); err != nil {
		t.Errorf("the letter: %v", err)
	}
}
