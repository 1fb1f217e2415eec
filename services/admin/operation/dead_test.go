package operation_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// Nothing is done with a dead letter that the audit does not tell of.
func TestTheAuditIsWrittenBeforeADeadLetterIsSettled(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	in := operation.InDeadLetter{InTenant: operation.InTenant{Tenant: "acme"}, ID: o.Acme.Dead}
	other := in
	other.ID = o.Rival.Dead
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

// What the driver of a failing store says of the installation is the landlord's.
func TestTheErrorOfADeadLetterTellsTenantsNothingOfTheInstallation(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	const driver = "failed to connect to `user=mailyard database=mailyard_prod`: 10.9.8.7:5432 (db1.internal.corp): server error: FATAL: password authentication failed for user \"mailyard\" (SQLSTATE 28P01)"
	for i, c := range []struct {
		stage schemas.Stage
		text  string
		want  string
	}{
		{schemas.StagePersister, "storing 1 mail of acme/info: " + driver, "storing 1 mail of acme/info; the landlord sees the rest"},
		{schemas.StagePersister, driver, "the persister gave it up; the landlord sees the rest"},
		{schemas.StagePersister, `storing 1 mail of acme/info: relation "mails_p7" of db1.internal.corp is full`, "storing 1 mail of acme/info; the landlord sees the rest"},
		{schemas.StageClassifier, "reading the rules of acme/info: dial tcp 10.9.8.7:6379: connect: connection refused", "reading the rules of acme/info; the landlord sees the rest"},
		{schemas.StageFetcher, "downloading UID 7 of acme/info: server said NO [LIMIT] too large", "downloading UID 7 of acme/info: server said NO [LIMIT] too large"},
		{schemas.StageDisposer, "moving UID 7: lookup db1.internal.corp on 10.9.8.53:53: no such host", "moving UID 7; the landlord sees the rest"},
	} {
		key := schemas.MailKey{Tenant: "acme", Mailbox: o.Acme.Mailbox, UIDValidity: 8, UID: uint32(i + 1)}
		if err := o.Conn.GiveUp(t.Context(), c.stage, key, 5, errors.New(c.text)); err != nil {
			t.Fatal(err)
		}
		told := func(a control.Actor) (list, one string) {
			page, err := o.Desk.ListDeadLetters(t.Context(), a, &operation.ListDeadLetters{InTenant: operation.InTenant{Tenant: "acme"}, Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			letter, err := o.Desk.GetDeadLetter(t.Context(), a, &operation.GetDeadLetter{InDeadLetter: operation.InDeadLetter{InTenant: operation.InTenant{Tenant: "acme"}, ID: page.Letters[0].ID}})
			if err != nil {
				t.Fatal(err)
			}
			if raw, err := json.Marshal(letter); a.Tenant != "" && (err != nil || strings.Contains(string(raw), "10.9.8") || strings.Contains(string(raw), "internal.corp")) {
				t.Errorf("the %s of %s is told %s, %v", a.Role, a.Tenant, raw, err)
			}
			return page.Letters[0].Error, letter.Error
		}
		for _, a := range []control.Actor{o.Rita.Actor, o.Ann.Actor} {
			if list, one := told(a); list != c.want || one != c.want {
				t.Errorf("%s: %s is told %q and %q; want %q", c.text, a.Name, list, one, c.want)
			}
		}
		if list, one := told(o.Lena.Actor); list != c.text || one != c.text {
			t.Errorf("the landlord is told %q and %q; want %q", list, one, c.text)
		}
	}
}
