package operation_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// act has a tenant do some of everything that is numbered: documents, audit,
// dead letters and mails.
func act(t *testing.T, o *admintest.Office, who admintest.Person, ids admintest.Ids, round int) {
	t.Helper()
	ctx, a := t.Context(), who.Actor
	doc := config.Folder{Tenant: ids.Tenant, ID: fmt.Sprintf("more-%d", round), Name: fmt.Sprintf("More %d", round), Address: fmt.Sprintf("more-%d@%s.example", round, ids.Tenant)}
	_, folder := o.Control.PutFolder(ctx, a, doc, control.IfNew)
	m, disabled := o.Control.Disable(ctx, a, ids.Tenant, ids.Mailbox, 0)
	key := schemas.MailKey{Tenant: ids.Tenant, Mailbox: ids.Mailbox, UIDValidity: 7, UID: uint32(200 + round)}
	given := o.Conn.GiveUp(ctx, schemas.StageFetcher, key, 4, errors.New("downloading: the server hung up"))
	revision, read := o.Control.Revision(ctx)
	_, stored := o.Store.Persist(ctx, []mailstore.Mail{{
		Key: key, Lane: schemas.Light, SHA256: fmt.Sprintf("%064x", key.UID), InternalDate: time.Now(), FetchedAt: time.Now(),
		Decision: schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonNoMatchingFolder, ClassifiedAt: time.Now(), Revision: revision},
	}})
	letters, listed := o.Conn.DeadLetters(ctx, bus.DeadQuery{Tenant: ids.Tenant, Limit: 1})
	if err := errors.Join(folder, disabled, given, read, stored, listed); err != nil || len(letters) != 1 {
		t.Fatal(err, letters)
	}
	_, dropped := o.Desk.DropDeadLetter(ctx, a, &operation.DropDeadLetter{InDeadLetter: operation.InDeadLetter{InTenant: operation.InTenant{Tenant: ids.Tenant}, ID: o.Letter(ids.Tenant, letters[0])}})
	given = o.Conn.GiveUp(ctx, schemas.StageFetcher, key, 5, errors.New("downloading: the server hung up"))
	now := time.Now()
	told := o.Desk.Leases.SetState(ctx, schemas.MailboxState{Tenant: ids.Tenant, Mailbox: ids.Mailbox, Status: schemas.StatusDisabled, Since: now, ObservedAt: &now, Revision: m.Revision}, "")
	if err := errors.Join(dropped, given, told); err != nil {
		t.Fatal(err)
	}
}

// varying is what two installations differ in by nature: times, ids that are
// drawn, and tokens.
var varying = regexp.MustCompile(`[0-9-]{10}T[0-9:.]+(Z|\+00:00)|\b([a-z2-7]{26}|[a-z2-7]{16})\b|\b[0-9a-z]{11,14}\.[a-z2-7]{26}\b`)

// seen returns what every operation that changes nothing tells the administrator
// of acme.
func seen(t *testing.T, o *admintest.Office) map[string]string {
	t.Helper()
	key, err := o.Control.GetTenant(t.Context(), o.Ann.Actor, "acme")
	if err != nil {
		t.Fatal(err)
	}
	drawn := strings.NewReplacer(key.KeyID, "…", o.Ann.Session, "…", o.Ann.ID, "…")
	answers := map[string]string{}
	for _, op := range operation.All() {
		reads := op.Method == "GET" || op.Name == "routing.simulate" || op.Name == "mailbox.check"
		if !reads || op.Access == operation.AccessLandlord || op.Examines || op.Name == "mail.throughput" { // whose points go by the clock
			continue
		}
		in := admintest.Input(op, o.Acme, o.Ann)
		for range 3 { // pages
			raw, err := json.Marshal(in)
			if err != nil {
				t.Fatal(err)
			}
			var told any
			if told, err = op.Call(t.Context(), o.Desk, o.Ann.Actor, raw); err != nil {
				t.Fatalf("%s: %v", op.Name, err)
			}
			text, err := json.MarshalIndent(told, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			answers[op.Name] += varying.ReplaceAllString(drawn.Replace(string(text)), "…")
			var page struct{ Next string }
			if json.Unmarshal(text, &page) != nil || page.Next == "" {
				break
			}
			in["before"], in["limit"] = page.Next, 1
		}
	}
	return answers
}

// What a tenant's administrator is told is the same whatever others do: no number
// that counts for the whole installation is in it.
func TestNothingTellsHowMuchOthersDo(t *testing.T) {
	t.Parallel()
	quiet, busy := admintest.New(t), admintest.New(t)
	for round := range 3 {
		act(t, quiet, quiet.Ann, quiet.Acme, round)
		for more := range 4 {
			act(t, busy, busy.Rob, busy.Rival, 10*round+more)
		}
		act(t, busy, busy.Ann, busy.Acme, round)
	}
	alone, beside := seen(t, quiet), seen(t, busy)
	if len(alone) < 20 {
		t.Errorf("only %d operations were asked", len(alone))
	}
	for name, want := range alone {
		if got := beside[name]; got != want {
			t.Errorf("%s tells of others:\n%s\nand alone:\n%s", name, got, want)
		}
	}
}

// A token of another tenant is answered as one that nobody gave.
func TestTokensOfAnotherTenantAreNone(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	theirs, err := o.Control.GetFolder(t.Context(), o.Rob.Actor, "rival", o.Rival.Folder)
	if err != nil {
		t.Fatal(err)
	}
	const made = "w2n4qfxk7sgd3pzyb5lmhcvtae"
	call := func(name string, in map[string]any) string {
		op, _ := operation.Find(name)
		raw, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		out, err := op.Call(t.Context(), o.Desk, o.Ann.Actor, raw)
		if err == nil {
			t.Errorf("%s of %s answers %+v", name, raw, out)
			return ""
		}
		text, err := json.Marshal(operation.ProblemOf(err))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	folder := map[string]any{"name": "Mine", "address": "support@acme.example"}
	revision := o.Revision("rival", theirs.Revision)
	for _, c := range []struct {
		name, key, token string
		in               map[string]any
	}{
		{"folder.put", "if_match", revision, map[string]any{"tenant": "acme", "id": "support", "document": folder}},
		{"folder.put", "if_match", `"` + revision + `"`, map[string]any{"tenant": "acme", "id": "support", "document": folder}},
		{"folder.put", "if_match", fmt.Sprint(theirs.Revision), map[string]any{"tenant": "acme", "id": "support", "document": folder}},
		{"mailbox.delete", "if_match", revision, map[string]any{"tenant": "acme", "id": "info"}},
		{"dead.get", "id", o.Rival.Dead, map[string]any{"tenant": "acme"}},
		{"dead.replay", "id", o.Rival.Dead, map[string]any{"tenant": "acme"}},
		{"dead.drop", "id", "1", map[string]any{"tenant": "acme"}},
		{"dead.list", "before", o.Rival.Dead, map[string]any{"tenant": "acme"}},
		{"audit.list", "before", o.Control.Sealer("audit", "rival").Seal(1), map[string]any{"tenant": "acme"}},
		{"audit.list", "before", o.Acme.Dead, map[string]any{"tenant": "acme"}},
		{"mail.list", "before", "1." + o.Control.Sealer("mail", "rival").Seal(1), map[string]any{"tenant": "acme"}},
	} {
		c.in[c.key] = c.token
		got := call(c.name, c.in)
		c.in[c.key] = made
		if want := call(c.name, c.in); strings.ReplaceAll(got, c.token, made) != want {
			t.Errorf("%s with %s answers %s; with one that nobody gave %s", c.name, c.token, got, want)
		}
	}
	stale := map[string]any{"tenant": "acme", "id": "support", "document": folder, "if_match": made}
	unknown := call("folder.put", stale)
	now, err := o.Control.GetFolder(t.Context(), o.Ann.Actor, "acme", "support")
	if err != nil {
		t.Fatal(err)
	}
	stale["if_match"] = o.Revision("acme", now.Revision-1)
	if old := call("folder.put", stale); old != unknown {
		t.Errorf("a revision of long ago answers %s; one that nobody gave %s", old, unknown)
	}
}
