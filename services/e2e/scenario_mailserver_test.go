package e2e_test

import (
	"github.com/emersion/go-imap/v2"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// mailServerScenarios are about what mail servers are like and what happens to them.
func mailServerScenarios() []scenario {
	return []scenario{
		{name: "server-restart", play: playServerRestart, ownServer: &imaptest.Options{}},
		{name: "uidvalidity", play: playUIDValidity},
		{name: "poor-server", play: playPoorServer, ownServer: &imaptest.Options{Hide: []string{"MOVE", "UIDPLUS"}}},
		{name: "folder-names", play: playFolderNames},
		{name: "folder-prefix", play: playFolderNames, ownServer: &imaptest.Options{Prefix: "INBOX.", Separator: "."},
			can: func(_ topology, k mailServerKind) bool { return k.namespaces }},
		{name: "tls", play: playTLS},
		{name: "oversize", play: playOversize},
		{name: "parked", play: playParked},
	}
}

// The mail server is killed in the middle and comes back.
func playServerRestart(sc *scene) {
	b := sc.box(func(d *config.Mailbox) { d.ConnectRetries = 100 })
	b.light(300, "support")
	b.large(400_000, "sales")
	b.awaitRows(50)
	sc.server.Kill()
	await(sc, "the mailbox has failed", func() string {
		s := b.state()
		return unless(s.Detail != "", "it is %s", s.Status)
	})
	sc.server.Restart()
	b.light(50, "billing")
	sc.checkAll(patience)
}

// UIDVALIDITY changes while mail is stored and not yet disposed of: it is
// recognised and not stored again.
func playUIDValidity(sc *scene) {
	c := sc.server.Client(user(sc.name, 0))
	defer c.Close()
	const watched = "Watched"
	folder := sc.server.prefix + watched
	check(sc, c.Create(folder, nil).Wait())
	b := sc.box(func(d *config.Mailbox) { d.Inbox, d.PersistedFolder = watched, refusedFolder })
	for range 30 {
		raw := newMail(b.next(), 1500, b.to("support", "sales"))
		b.expect(raw, outcome{folders: []string{"support", "sales"}})
		sc.server.Append(b.user, folder, raw, imap.AppendOptions{})
	}
	b.awaitRows(30)
	b.change(func(d *config.Mailbox) { d.Enabled = false })
	b.awaitStatus(schemas.StatusDisabled)
	before := b.rows()

	// The folder is replaced by another of the same name with the same mails.
	check(sc, c.Rename(folder, "Old", nil).Wait())
	check(sc, c.Create(folder, nil).Wait())
	must(c.Select("Old", nil).Wait())(sc)
	must(c.Move(imap.SeqSet{{Start: 1}}, folder).Wait())(sc)
	check(sc, c.Unselect().Wait())
	b.change(func(d *config.Mailbox) { d.Enabled, d.PersistedFolder = true, "Mended" })
	b.light(1, "billing") // into INBOX, where nobody looks
	for id := range b.mails {
		if b.mails[id].folders[0] == "billing" {
			b.mails[id] = outcome{stays: true}
		}
	}
	await(sc, "all mails have left the watched folder", func() string {
		n := sc.server.Count(b.user, folder)
		return unless(n == 0, "it holds %d", n)
	})
	sc.checkAll(patience)
	for i, m := range b.rows() {
		if m.MailID != before[i].MailID || m.UIDValidity == before[i].UIDValidity {
			sc.Errorf("mail %s has UIDVALIDITY %d and id %s; want another UIDVALIDITY and the id %s", m.MessageID, m.UIDValidity, m.MailID, before[i].MailID)
		}
	}
}

// A server that has neither MOVE nor UIDPLUS.
func playPoorServer(sc *scene) {
	for _, methods := range [][2]config.Method{{config.MethodMove, config.MethodDelete}, {config.MethodDelete, config.MethodMove}} {
		b := sc.box(func(d *config.Mailbox) { d.PersistedMethod, d.InvalidMethod = methods[0], methods[1] })
		b.light(40, "support")
		b.large(300_000, "sales")
		for range 10 {
			b.deliver(newMail(b.next(), 1500, "To: nobody@"+sc.name+".example"), outcome{reason: schemas.ReasonNoMatchingFolder})
		}
	}
	sc.checkAll(patience)
}

// The names of the folders have letters that are not ASCII, and whatever prefix
// and delimiter the server wants.
func playFolderNames(sc *scene) {
	b := sc.box(func(d *config.Mailbox) {
		d.PersistedFolder, d.InvalidFolder, d.DeletedFolder = "Übernommen – 完了", "Ungültig & Müll", "Gelöscht"
	})
	b.light(20, "support")
	for range 5 {
		b.deliver(newMail(b.next(), 1500, "To: nobody@"+sc.name+".example"), outcome{reason: schemas.ReasonNoMatchingFolder})
	}
	deleting := sc.box(func(d *config.Mailbox) {
		d.PersistedMethod, d.DeletedFolder = config.MethodDelete, "Gelöscht"
	})
	deleting.light(5, "support")
	sc.checkAll(patience)
}

// Every way of encryption with a private authority; without it, no way.
func playTLS(sc *scene) {
	mode := func(port int, security config.Security, ca string) func(*config.Mailbox) {
		return func(d *config.Mailbox) {
			d.IMAP, d.ConnectRetries = config.Server{Host: sc.server.Host, Port: port, Security: security, CA: ca}, 0
		}
	}
	ca := sc.server.CA
	startTLS := sc.box(mode(sc.server.Port, config.SecuritySTARTTLS, ca))
	auto := sc.box(mode(sc.server.Port, config.SecurityAuto, ca))
	implicit := sc.box(mode(sc.server.TLS, config.SecurityTLS, ca))
	stranger := sc.box(mode(sc.server.TLS, config.SecurityTLS, ""))
	wrongMode := sc.box(mode(sc.server.TLS, config.SecuritySTARTTLS, ca))
	for _, b := range sc.boxes {
		b.light(5, "support")
	}
	stranger.awaitStatus(schemas.StatusTLSFailed)
	state := wrongMode.awaitStatus(schemas.StatusTLSFailed)
	if want := string(config.SecurityTLS); !contains(state.Detail, want) {
		sc.Errorf("for the wrong mode it says %q; want it to name %s", state.Detail, want)
	}
	for _, b := range []*box{startTLS, auto, implicit} {
		b.awaitEnd(patience)
	}
	stranger.changeServer(mode(sc.server.TLS, config.SecurityTLS, ca))
	wrongMode.change(mode(sc.server.TLS, config.SecurityTLS, ca))
	sc.checkAll(patience)
}

// Of a mail that is too large not one byte of the body is downloaded.
func playOversize(sc *scene) {
	const limit, oversize = 40_000, 600_000
	meter := newMeter(sc, sc.server.Port)
	b := sc.box(func(d *config.Mailbox) { d.IMAP.Port, d.MaxEmailBytes, d.MaxLightBytes = meter.port, limit, 10_000 })
	small := 0
	for range 4 {
		b.deliver(newMail(b.next(), oversize, b.to("support")), outcome{reason: schemas.ReasonOversize, lane: schemas.Large})
		raw := newMail(b.next(), 1500, b.to("support"))
		small += len(raw)
		b.deliver(raw, outcome{folders: []string{"support"}, lane: schemas.Light})
	}
	b.awaitEnd(patience)
	// What else comes from the server: greetings, certificates, listings, headers.
	if n := meter.received(); n > int64(small)+64<<10 {
		sc.Errorf("%d bytes came from the mail server; want little more than the %d of the small mails", n, small)
	}
	if sc.server.kind.logs {
		b.change(func(d *config.Mailbox) { d.Enabled = false })
		await(sc, "the server has logged what it sent", func() string {
			n := bodyBytes(sc.server.Log(), b.user)
			return unless(n == small, "it sent %d bytes of bodies; want %d, those of the small mails", n, small)
		})
		b.change(func(d *config.Mailbox) { d.Enabled = true })
	}
	for _, m := range b.rows() {
		if m.Reason == schemas.ReasonOversize && m.Size < oversize {
			sc.Errorf("the row of the oversize mail %s says %d bytes; want its whole size", m.MessageID, m.Size)
		}
	}
	sc.checkAll(patience)
}

// A mail that the server lists and never sends becomes a dead letter; its
// neighbours go on. It is fetched when it was mended and replayed.
func playParked(sc *scene) {
	server := newStubborn(sc)
	b := sc.box(func(d *config.Mailbox) { d.IMAP = server.target() })
	for n := range server.mails {
		b.expect(server.mails[n], outcome{folders: []string{"support"}})
	}
	b.awaitRows(len(server.mails) - 1)
	letter := sc.awaitDeadLetter()
	if letter.Stage != schemas.StageFetcher {
		sc.Errorf("the %s gave up the mail; want the fetcher", letter.Stage)
	}
	await(sc, "the mailbox tells of the parked mail", func() string {
		s := b.state()
		return unless(s.Parked == 1, "it tells of %d", s.Parked)
	})
	server.mend()
	check(sc, sc.site.bus.Replay(sc.Context(), letter.Sequence))
	b.awaitRows(len(server.mails))
	await(sc, "the inbox is empty", func() string {
		n := server.left()
		return unless(n == 0, "it holds %d mails", n)
	})
	sc.boxes = nil // a script has no folders to look into
	sc.checkAll(patience)
}
