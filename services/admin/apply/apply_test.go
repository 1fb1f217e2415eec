package apply_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/mailstore"
	contract "github.com/mailyard/mailyard/schemas/apply"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/apply"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A desk is the door in front of an office.
type desk struct {
	*admintest.Office
	t  testing.TB
	nc *nats.Conn
}

func open(t testing.TB) *desk {
	t.Helper()
	o := admintest.New(t)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- apply.Run(ctx, apply.Config{Desk: o.Desk, Accounts: o.Accounts, Bus: o.Conn, Version: "1.2.3", Logger: o.Logger})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	d := &desk{o, t, o.NATS.Connect(t, "client", nil).NATS()}
	deadline := time.Now().Add(10 * time.Second)
	for d.send("", "tenant", "{}").Problem == nil { // it does not serve yet
		if time.Now().After(deadline) {
			t.Fatal("nothing answers")
		}
	}
	return d
}

// send sends a request; the answer is empty if there is none.
func (d *desk) send(token, kind, body string) (a contract.Answer) {
	d.t.Helper()
	m := nats.NewMsg(contract.SubjectPrefix + kind)
	m.Data = []byte(body)
	if token != "" {
		m.Header.Set("Authorization", "Bearer "+token)
	}
	ctx, cancel := context.WithTimeout(d.t.Context(), 20*time.Second)
	defer cancel()
	reply, err := d.nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		return a
	}
	if strings.Contains(string(reply.Data), admintest.Password) {
		d.t.Errorf("%s tells a password: %s", body, reply.Data)
	}
	dec := json.NewDecoder(strings.NewReader(string(reply.Data)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&a); err != nil {
		d.t.Fatalf("%v in %s", err, reply.Data)
	}
	if (a.Problem == nil) == (a.Result == nil) {
		d.t.Errorf("the answer is %s", reply.Data)
	}
	return a
}

// call asks for an operation.
func (d *desk) call(token, name string, input any) contract.Answer {
	d.t.Helper()
	kind, verb, _ := strings.Cut(name, ".")
	raw, err := json.Marshal(map[string]any{"operation": verb, "input": input})
	if err != nil {
		d.t.Fatal(err)
	}
	return d.send(token, kind, string(raw))
}

func (d *desk) refused(status int, a contract.Answer) *contract.Problem {
	d.t.Helper()
	if a.Problem == nil || a.Problem.Status != status || a.Problem.Title != http.StatusText(status) {
		d.t.Fatalf("the answer is %s %+v; want %d", a.Result, a.Problem, status)
	}
	return a.Problem
}

func TestEveryOperationIsReachedByEvents(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, o := range operation.All() {
		a := d.call(d.Rita.Token, o.Name, admintest.Input(o, d.Acme, d.Ann))
		switch {
		case o.Access == operation.AccessRead:
			if a.Problem != nil {
				t.Errorf("%s: %+v", o.Name, a.Problem)
			}
		case o.Access != operation.AccessSignedIn:
			if a.Problem == nil || a.Problem.Status != http.StatusForbidden {
				t.Errorf("%s by a reader: %s %+v", o.Name, a.Result, a.Problem)
			}
		case a.Problem != nil && strings.Contains(a.Problem.Detail, "no such operation"):
			t.Errorf("%s is not reached", o.Name)
		}
	}
}

func TestAChangeByEventIsLikeAnyOther(t *testing.T) {
	t.Parallel()
	d := open(t)
	doc := map[string]any{"name": "Sales", "address": "sales@acme.example"}
	input := map[string]any{"tenant": "acme", "id": "sales", "document": doc}
	d.refused(http.StatusPreconditionRequired, d.call(d.Ann.Token, "folder.put", input))
	input["if_none_match"] = "*"
	var f operation.Folder
	if err := json.Unmarshal(d.call(d.Ann.Token, "folder.put", input).Result, &f); err != nil || f.Document.Name != "Sales" {
		t.Errorf("made %+v, %v", f, err)
	}
	d.refused(http.StatusConflict, d.call(d.Ann.Token, "folder.put", input))
	var audit operation.AuditPage
	a := d.call(d.Ann.Token, "audit.list", map[string]any{"kind": "folder", "id": "sales"})
	if err := json.Unmarshal(a.Result, &audit); err != nil || len(audit.Entries) != 1 || audit.Entries[0].From != "events" || !strings.Contains(audit.Entries[0].Actor, "ann") {
		t.Errorf("the audit says %s, %v", a.Result, err)
	}
}

func TestBadRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.Lena.Token
	for _, bad := range []string{"", "nonsense", d.ExpiredToken(d.Lena), d.Lena.Cookie} {
		d.refused(http.StatusUnauthorized, d.call(bad, "tenant.list", nil))
	}
	for _, body := range []string{"", "{", "[]", `"list"`, `{"operation":7}`, `{"operation":"list","inputs":{}}`, `{"operation":"list"} {}`} {
		d.refused(http.StatusBadRequest, d.send(token, "tenant", body))
	}
	d.refused(http.StatusNotFound, d.send(token, "tenant", `{"operation":"explode"}`))
	d.refused(http.StatusNotFound, d.send(token, "nothing", `{"operation":"list"}`))
	d.refused(http.StatusNotFound, d.send(token, "tenant", `{}`))
	d.refused(http.StatusRequestEntityTooLarge, d.send(token, "tenant", `{"operation":"list","input":{"x":"`+strings.Repeat("x", 300<<10)+`"}}`))
	inputs := map[string]struct{ operation, input string }{
		"tenant":       {"mailbox.list", `{}`},
		"limit":        {"mailbox.list", `{"tenant":"acme","limit":501}`},
		"sort":         {"mailbox.list", `{"tenant":"acme","sort":"colour"}`},
		"search":       {"mailbox.list", `{"tenant":"acme","search":"` + strings.Repeat("x", 999) + `"}`},
		"id":           {"mailbox.get", `{"tenant":"acme","id":"a\u0000"}`},
		"verdict":      {"mail.list", `{"tenant":"acme","verdict":"good"}`},
		"colour":       {"mail.list", `{"tenant":"acme","colour":"red"}`},
		"bulk.action":  {"mailbox.bulk", `{"tenant":"acme","bulk":{"action":"explode","ids":["info"]}}`},
		"imap.port":    {"mailbox.put", `{"tenant":"acme","id":"info","if_match":"*","document":{"name":"Info","imap":{"host":"h","port":0}}}`},
		"before":       {"dead.list", `{"tenant":"acme","before":"12"}`},
		"account.role": {"account.put", `{"name":"x","if_match":"*","account":{"role":"king"}}`},
	}
	for path, in := range inputs {
		p := d.refused(http.StatusUnprocessableEntity, d.call(token, in.operation, json.RawMessage(in.input)))
		found := false
		for _, e := range p.Errors {
			found = found || e.Path == path
		}
		if !found {
			t.Errorf("%s %s: no error has the path %s: %+v", in.operation, in.input, path, p.Errors)
		}
	}
}

// To the people of one tenant the other does not exist.
func TestAnotherTenantDoesNotExistOnEvents(t *testing.T) {
	t.Parallel()
	d := open(t)
	nobody := d.Acme
	nobody.Tenant = "nobody"
	stranger := admintest.Person{Name: "stranger", ID: "abcdefghijklmnop", Session: "abcdefghijklmnop"}
	for _, o := range operation.All() {
		if o.Name == "account.put" { // names are unique over all tenants
			continue
		}
		a, b := d.call(d.Rob.Token, o.Name, admintest.Input(o, d.Acme, d.Ann)), d.call(d.Rob.Token, o.Name, admintest.Input(o, nobody, stranger))
		blank := func(a contract.Answer) string {
			raw, err := json.Marshal(a)
			if err != nil {
				t.Fatal(err)
			}
			return strings.NewReplacer("acme", "…", "nobody", "…", "ann", "…", "stranger", "…", d.Ann.ID, "…", d.Ann.Session, "…", stranger.ID, "…").Replace(string(raw))
		}
		if blank(a) != blank(b) {
			t.Errorf("%s: %s %+v\nbut of nothing: %s %+v", o.Name, a.Result, a.Problem, b.Result, b.Problem)
		}
	}
}

func TestOurFaultsHaveAReference(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.Desk.Stores["default"] = broken{d.Desk.Stores["default"]}
	p := d.refused(http.StatusInternalServerError, d.call(d.Rita.Token, "mail.list", map[string]any{"tenant": "acme"}))
	entries := d.Logs.FilterMessage("answering a request on NATS").All()
	if len(entries) != 1 || strings.Contains(p.Detail, "SQL") || !strings.Contains(p.Detail, entries[0].ContextMap()["reference"].(string)) {
		t.Errorf("the answer is %+v, the log %+v", p, entries)
	}
}

// broken is a messaging database that fails.
type broken struct{ mailstore.Store }

func (broken) Mails(context.Context, mailstore.Query) ([]mailstore.Summary, error) {
	return nil, errSQL
}

var errSQL = errors.New("SQL logic error")

// Those who examine mail servers leave room for those who ask something quick.
func TestExaminationsLeaveRoomForOthers(t *testing.T) {
	t.Parallel()
	d := open(t)
	dialled, release := make(chan struct{}), make(chan struct{})
	d.Desk.Doctor.LookupNetIP = func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	}
	d.Desk.Doctor.Dial = func(context.Context, string, string) (net.Conn, error) {
		dialled <- struct{}{}
		<-release
		return nil, errors.New("away")
	}
	ended := make(chan contract.Answer)
	for i := range 4 { // two tenants, each below what the desk allows it
		who, ids := d.Ann, d.Acme
		if i%2 == 1 {
			who, ids = d.Rob, d.Rival
		}
		go func() {
			ended <- d.call(who.Token, "mailbox.test", map[string]any{"tenant": ids.Tenant, "id": ids.Mailbox})
		}()
		<-dialled
	}
	d.refused(http.StatusTooManyRequests, d.call(d.Ann.Token, "mailbox.test", map[string]any{"tenant": "acme", "id": "info"}))
	if a := d.call(d.Rita.Token, "tenant.get", map[string]any{"tenant": "acme"}); a.Problem != nil {
		t.Errorf("something quick: %+v", a.Problem)
	}
	close(release)
	for range 4 {
		if a := <-ended; a.Problem != nil {
			t.Errorf("%+v", a.Problem)
		}
	}
}
