package e2e_test

import (
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// Only mail that arrives after the mailbox was enabled is taken.
func playImportNew(sc *scene) {
	old := time.Now().Add(-48 * time.Hour)
	name := user(sc.name, 0)
	var stay [][]byte
	for _, id := range []string{"a", "b", "c"} {
		raw := newMail("old-"+id, 1500, "To: "+sc.address("support"))
		sc.server.Append(name, "INBOX", raw, imap.AppendOptions{Time: old})
		stay = append(stay, raw)
	}
	b := sc.box(func(d *config.Mailbox) { d.ImportSince = config.ImportNew })
	for _, raw := range stay {
		b.expect(raw, outcome{stays: true})
	}
	b.awaitStatus(schemas.StatusLive)
	b.light(10, "support")
	sc.checkAll(patience)
}

// Only mail that arrived since a day is taken.
func playImportDate(sc *scene) {
	days := func(n int) time.Time { return time.Now().AddDate(0, 0, -n) }
	b := sc.box(func(d *config.Mailbox) { d.ImportSince = days(10).UTC().Format(time.DateOnly) })
	for _, n := range []int{30, 20, 12} {
		raw := newMail(b.next(), 1500, b.to("support"))
		b.expect(raw, outcome{stays: true})
		sc.server.Append(b.user, "INBOX", raw, imap.AppendOptions{Time: days(n)})
	}
	for _, n := range []int{8, 5, 1, 0} {
		raw := newMail(b.next(), 1500, b.to("support"))
		b.expect(raw, outcome{folders: []string{"support"}})
		sc.server.Append(b.user, "INBOX", raw, imap.AppendOptions{Time: days(n)})
	}
	sc.checkAll(patience)
}
