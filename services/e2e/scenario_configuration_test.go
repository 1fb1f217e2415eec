package e2e_test

import (
	"strings"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// configurationScenarios are changes of the configuration while mail flows.
func configurationScenarios() []scenario {
	return []scenario{
		{name: "disabled", play: playDisabled},
		{name: "password-change", play: playPasswordChange, ownServer: &imaptest.Options{}},
		{name: "wrong-password", play: playWrongPassword},
		{name: "key-rotation", play: playKeyRotation},
		{name: "rotation-killed", play: playRotationKilled, ownSite: true, can: func(tp topology, _ mailServerKind) bool { return tp.separate }},
		{name: "folders-change", play: playFoldersChange},
		{name: "mailbox-deleted", play: playMailboxDeleted},
		{name: "disposal-refused", play: playDisposalRefused},
		{name: "examined", play: playDoctor},
	}
}

// A disabled mailbox is left alone, and goes on when it is enabled again.
func playDisabled(sc *scene) {
	b, other := sc.box(), sc.box()
	b.light(20, "support")
	b.awaitEnd(patience)
	b.change(func(d *config.Mailbox) { d.Enabled = false })
	b.awaitStatus(schemas.StatusDisabled)
	b.light(20, "sales")
	// Mail that another mailbox gets after that goes all its way meanwhile.
	other.light(20, "support")
	other.awaitEnd(patience)
	if n := b.server.Count(b.user, "INBOX"); n != 20 {
		sc.Errorf("the inbox of the disabled mailbox holds %d mails; want 20", n)
	}
	b.change(func(d *config.Mailbox) { d.Enabled = true })
	sc.checkAll(patience)
}

// The password changes, on the server and then here, while mail flows.
func playPasswordChange(sc *scene) {
	b := sc.box()
	b.light(30, "support")
	b.awaitRows(1)
	sc.server.SetPassword(b.user, "another password")
	b.light(30, "sales")
	b.setPassword("another password")
	b.light(30, "billing")
	sc.checkAll(patience)
}

// The tenant's key is replaced while mail flows, which nobody notices; and who
// signs in afterwards has a password that the new key opens.
func playKeyRotation(sc *scene) {
	b, other := sc.box(), sc.box()
	b.light(30, "support")
	b.awaitRows(1)
	must(sc.site.control.RotateTenantKey(sc.Context(), landlord, sc.name, 0))(sc)
	await(sc, "the key is rotated", func() string {
		r := must(sc.site.control.GetTenant(sc.Context(), landlord, sc.name))(sc).Rotation
		return unless(r == nil, "the rotation is %+v", r)
	})
	b.light(30, "sales")
	other.light(10, "support")
	b.awaitEnd(patience)
	b.change(func(d *config.Mailbox) { d.Enabled = false })
	b.awaitStatus(schemas.StatusDisabled)
	b.light(10, "billing")
	b.change(func(d *config.Mailbox) { d.Enabled = true })
	sc.checkAll(patience)
}

// A wrong password is told as such, and mended by the right one at once.
func playWrongPassword(sc *scene) {
	b := sc.box(func(d *config.Mailbox) { d.Enabled = false })
	b.setPassword("wrong")
	b.light(10, "support")
	b.change(func(d *config.Mailbox) { d.Enabled = true })
	state := b.awaitStatus(schemas.StatusAuthFailed)
	if state.NextAttempt == nil || state.Detail == "" || strings.Contains(state.Detail, "wrong") && strings.Contains(state.Detail, password(b.user)) {
		sc.Errorf("the state is %+v; want a reason, a next attempt and no password", state)
	}
	b.setPassword(password(b.user))
	b.awaitStatus(schemas.StatusLive)
	sc.checkAll(patience)
}

// A folder that is added is matched from then on, one that is removed is not.
func playFoldersChange(sc *scene) {
	b := sc.box(func(d *config.Mailbox) { d.Folders = []string{"support", "sales"} })
	b.light(5, "support", "sales")
	b.deliver(newMail(b.next(), 1500, b.to("vip")), outcome{reason: schemas.ReasonNoMatchingFolder})
	b.awaitEnd(patience)
	sc.putFolder("vip")
	b.change(func(d *config.Mailbox) { d.Folders = []string{"support", "vip"} })
	b.awaitChange()
	b.light(5, "vip")
	b.deliver(newMail(b.next(), 1500, b.to("sales", "support")), outcome{folders: []string{"support"}})
	b.deliver(newMail(b.next(), 1500, b.to("sales")), outcome{reason: schemas.ReasonNoMatchingFolder})
	sc.checkAll(patience)
}

// Mail that is in flight when its mailbox is deleted ends well; the rest stays.
func playMailboxDeleted(sc *scene) {
	b := sc.box(func(d *config.Mailbox) { d.MaxItems = 10 })
	b.light(150, "support")
	b.awaitRows(1)
	check(sc, sc.site.control.DeleteMailbox(sc.Context(), landlord, sc.name, b.doc.ID, 0))
	await(sc, "the fetcher has let go of the mailbox", func() string {
		s := b.state()
		return unless(s.Status == "", "it is %s", s.Status)
	})
	await(sc, "nothing is in the streams", func() string {
		n := sc.site.queued(sc, sc.name)
		return unless(n == 0, "%d messages are", n)
	})
	for _, m := range sc.server.Mails(b.user, "INBOX") {
		b.mails[identity(m.Raw)] = outcome{stays: true}
	}
	sc.checkAll(patience)
}

// A disposal that the mail server refuses is done when the folder is mended.
func playDisposalRefused(sc *scene) {
	b := sc.box(func(d *config.Mailbox) { d.PersistedFolder = refusedFolder })
	b.light(20, "support")
	b.awaitRows(20)
	if n := sc.server.Count(b.user, "INBOX"); n != 20 {
		sc.Errorf("the inbox holds %d mails; want 20, because none can be moved", n)
	}
	b.change(func(d *config.Mailbox) { d.PersistedFolder = "Mended" })
	sc.checkAll(patience)
}

// refusedFolder is a name that no mail server makes a folder of: a wildcard, and
// for Dovecot's maildir what separates levels.
const refusedFolder = "no.folder*"
