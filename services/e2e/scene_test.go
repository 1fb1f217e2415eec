package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// landlord is who changes the configuration.
var landlord = control.Actor{Name: "e2e", Role: control.RoleLandlord, From: "test"}

// A scene is what one scenario plays in: a tenant of its own with the folders
// support, sales and billing, and accounts on a mail server.
type scene struct {
	testing.TB
	site   *site
	server *mailServer
	name   string // of the scenario and of the tenant
	boxes  []*box
	// eventsLost says that NATS lost events: which mails are gone from the inbox
	// may not be recorded of all.
	eventsLost bool
	// dead is how many dead letters the scenario is meant to end with.
	dead int
}

func newScene(t testing.TB, s *site, server *mailServer, name string) *scene {
	t.Helper()
	sc := &scene{TB: t, site: s, server: server, name: name}
	tenant := config.DefaultTenant()
	tenant.ID, tenant.Name = name, "Tenant "+name
	must(s.control.PutTenant(t.Context(), landlord, tenant, control.IfNew))(t)
	must(s.control.GenerateTenantKey(t.Context(), landlord, name, 0))(t)
	for _, id := range []string{"support", "sales", "billing"} {
		sc.putFolder(id)
	}
	return sc
}

func (sc *scene) putFolder(id string) {
	sc.Helper()
	must(sc.site.control.PutFolder(sc.Context(), landlord, config.Folder{Tenant: sc.name, ID: id, Name: "Folder " + id, Address: sc.address(id)}, 0))(sc)
}

// address is where mail for a folder is sent to.
func (sc *scene) address(folder string) string { return folder + "@" + sc.name + ".example" }

// A box is a mailbox, and what is to become of the mails that were delivered to it.
type box struct {
	*scene
	doc   config.Mailbox
	user  string
	mails map[string]outcome // by identity
	sent  int
}

// An outcome is what is to become of a mail.
type outcome struct {
	folders []string // ids of the folders that have an item
	reason  schemas.Reason
	lane    schemas.Lane // "" is any
	stays   bool         // in the inbox, without a row
}

func (o outcome) verdict() schemas.Verdict {
	if o.reason != "" {
		return schemas.Invalid
	}
	return schemas.Accepted
}

// box makes an enabled mailbox for the scenario's next account.
func (sc *scene) box(changes ...func(*config.Mailbox)) *box {
	sc.Helper()
	n := len(sc.boxes)
	b := &box{scene: sc, user: user(sc.name, n), mails: map[string]outcome{}}
	b.doc = config.DefaultMailbox()
	b.doc.Tenant, b.doc.ID, b.doc.Name = sc.name, fmt.Sprintf("box-%d", n), fmt.Sprintf("Mailbox %d", n)
	b.doc.Folders = []string{"support", "sales", "billing"}
	b.doc.IMAP = config.Server{Host: sc.server.Host, Port: sc.server.Port, Security: config.SecuritySTARTTLS, CA: sc.server.CA}
	b.doc.Username, b.doc.Enabled = b.user, true
	for _, change := range changes {
		change(&b.doc)
	}
	must(sc.site.control.PutMailboxWithPassword(sc.Context(), landlord, b.doc, secret.NewString(password(b.user)), control.IfNew))(sc)
	sc.boxes = append(sc.boxes, b)
	return b
}

// change changes the mailbox's configuration.
func (b *box) change(change func(*config.Mailbox)) {
	b.Helper()
	change(&b.doc)
	must(b.site.control.PutMailbox(b.Context(), landlord, b.doc, 0))(b)
}

// changeServer changes the mailbox's server, for which its password is entered again.
func (b *box) changeServer(change func(*config.Mailbox)) {
	b.Helper()
	change(&b.doc)
	must(b.site.control.PutMailboxWithPassword(b.Context(), landlord, b.doc, secret.NewString(password(b.user)), 0))(b)
}

func (b *box) setPassword(s string) {
	b.Helper()
	must(b.site.control.SetPassword(b.Context(), landlord, b.name, b.doc.ID, secret.NewString(s), 0))(b)
}

// deliver puts a mail into the inbox.
func (b *box) deliver(raw []byte, o outcome) {
	b.Helper()
	b.expect(raw, o)
	b.server.Deliver(b.user, raw)
}

// expect says what is to become of a mail that is in the inbox, or will be.
func (b *box) expect(raw []byte, o outcome) {
	b.Helper()
	id := identity(raw)
	if _, twice := b.mails[id]; twice {
		b.Fatalf("two mails of the scenario have the identity %s", id)
	}
	b.mails[id] = o
}

// next returns the id of a new mail.
func (b *box) next() string {
	b.sent++
	return fmt.Sprintf("%s.%s.%d", b.name, b.doc.ID, b.sent)
}

// light delivers n small mails to folders.
func (b *box) light(n int, folders ...string) {
	b.Helper()
	for range n {
		b.deliver(newMail(b.next(), 1500, b.to(folders...)), outcome{folders: folders, lane: schemas.Light})
	}
}

// large delivers a mail of about size bytes, above the limit of the light lane.
func (b *box) large(size int, folders ...string) {
	b.Helper()
	b.deliver(newMail(b.next(), size, b.to(folders...)), outcome{folders: folders, lane: schemas.Large})
}

func (b *box) to(folders ...string) string {
	field := "To: "
	for i, f := range folders {
		if i > 0 {
			field += ", "
		}
		field += b.address(f)
	}
	return field
}

// state returns what is known of the mailbox, nothing when it has no state.
func (b *box) state() schemas.MailboxState {
	b.Helper()
	var states []schemas.MailboxState
	await(b, "Redis answers", func() string {
		var err error
		states, err = b.site.states.States(b.Context(), b.name)
		return unless(err == nil, "%v", err)
	})
	for _, s := range states {
		if s.Mailbox == b.doc.ID {
			return s
		}
	}
	return schemas.MailboxState{}
}

// awaitStatus waits until the mailbox has one of the statuses.
func (b *box) awaitStatus(statuses ...schemas.MailboxStatus) schemas.MailboxState {
	b.Helper()
	var s schemas.MailboxState
	await(b, fmt.Sprintf("%s/%s is %v", b.name, b.doc.ID, statuses), func() string {
		s = b.state()
		for _, want := range statuses {
			if s.Status == want {
				return ""
			}
		}
		return fmt.Sprintf("%s (%s)", s.Status, s.Detail)
	})
	return s
}

// awaitChange waits until the fetcher serves the mailbox as it is configured
// now. The other services hear of a change at the same time, and have less to
// do about it.
func (b *box) awaitChange() {
	b.Helper()
	m := must(b.site.control.GetMailbox(b.Context(), landlord, b.name, b.doc.ID))(b)
	await(b, "the change is in force", func() string {
		s := b.state()
		return unless(s.Revision >= m.Revision && s.Status == schemas.StatusLive, "revision %d is, of %d; the mailbox is %s", s.Revision, m.Revision, s.Status)
	})
}

// awaitRows waits until at least n mails are stored.
func (b *box) awaitRows(n int) {
	b.Helper()
	await(b, fmt.Sprintf("%d mails of %s/%s are stored", n, b.name, b.doc.ID), func() string {
		rows := len(b.rows())
		s := b.state()
		return unless(rows >= n, "%d are; the mailbox is %s (%s)", rows, s.Status, s.Detail)
	})
}

// awaitDeadLetter waits for a dead letter of the tenant.
func (sc *scene) awaitDeadLetter() bus.DeadLetter {
	sc.Helper()
	var letters []bus.DeadLetter
	await(sc, "there is a dead letter", func() string {
		letters = must(sc.site.bus.DeadLetters(sc.Context(), bus.DeadQuery{Tenant: sc.name}))(sc)
		return unless(len(letters) > 0, "there is none")
	})
	return letters[0]
}

func contains(s, part string) bool { return strings.Contains(s, part) }

// background is a context for what goes on after the test's own has ended.
func background(t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(context.Background(), patience)
}

// explain logs what is known of the scene's mailboxes.
func (sc *scene) explain() {
	ctx, cancel := background(sc)
	defer cancel()
	states, err := sc.site.states.States(ctx, sc.name)
	if err != nil {
		sc.Logf("the states cannot be read: %v", err)
	}
	for _, s := range states {
		sc.Logf("%s/%s is %s: %s (waiting %d, in flight %d, parked %d, served by %s)", s.Tenant, s.Mailbox, s.Status, s.Detail, s.Waiting, s.InFlight, s.Parked, s.Replica)
	}
}
