package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// checkAll waits until all mail of all mailboxes has come to its end, and checks
// everything that has to hold then.
func (sc *scene) checkAll(patience time.Duration) {
	sc.Helper()
	for _, b := range sc.boxes {
		b.awaitEnd(patience)
	}
	for _, b := range sc.boxes {
		b.checkRows()
		b.checkServer()
	}
	for _, b := range sc.boxes {
		b.checkState()
	}
	letters := must(sc.site.bus.DeadLetters(sc.Context(), bus.DeadQuery{Tenant: sc.name}))(sc)
	if len(letters) != sc.dead {
		sc.Errorf("%d dead letters; want %d:", len(letters), sc.dead)
		for _, l := range letters {
			sc.Logf("%s gave up %s: %s", l.Stage, l.UIDs, l.Error)
		}
	}
	await(sc, "nothing is left in the streams", func() string {
		n := sc.site.queued(sc, sc.name)
		return unless(n == 0, "%d messages are", n)
	})
	await(sc, "no mail is unaccounted for", func() string {
		n := sc.site.unaccounted(sc, sc.name)
		return unless(n == 0, "%d are", n)
	})
}

// checkState waits until the mailbox's state tells that nothing is under way. A
// mailbox that is not served tells nothing new.
func (b *box) checkState() {
	b.Helper()
	if b.state().Status != schemas.StatusLive {
		return
	}
	await(b, fmt.Sprintf("the state of %s/%s tells that all is done", b.name, b.doc.ID), func() string {
		s := b.state()
		return unless(s.Waiting == 0 && s.InFlight == 0, "it is %s, waiting %d, in flight %d", s.Status, s.Waiting, s.InFlight)
	})
}

// awaitEnd waits until the inbox is empty and every mail is recorded as gone from it.
func (b *box) awaitEnd(patience time.Duration) {
	b.Helper()
	awaitFor(b, patience, fmt.Sprintf("all mail of %s/%s is stored and has left the inbox", b.name, b.doc.ID), func() string {
		s := b.state()
		// The inbox first: that costs least.
		if n := b.server.left(b.user); n != b.stay() {
			return fmt.Sprintf("the inbox holds %d mails; the mailbox is %s (%s), waiting %d, in flight %d, parked %d", n, s.Status, s.Detail, s.Waiting, s.InFlight, s.Parked)
		}
		gone := 0
		rows := b.rows()
		for _, m := range rows {
			if m.DisposedAt != nil || b.eventsLost {
				gone++
			}
		}
		return unless(gone >= len(b.mails)-b.stay(), "%d of %d mails are stored and %d recorded as gone", len(rows), len(b.mails)-b.stay(), gone)
	})
}

// stay returns how many mails are to stay in the inbox.
func (b *box) stay() int {
	n := 0
	for _, o := range b.mails {
		if o.stays {
			n++
		}
	}
	return n
}

// rows returns all rows of the mailbox, oldest first.
func (b *box) rows() []mailstore.Summary {
	b.Helper()
	var all []mailstore.Summary
	q := mailstore.Query{Tenant: b.name, Mailbox: b.doc.ID, Limit: mailstore.MaxLimit}
	for {
		page := b.page(q)
		all = append(all, page...)
		if len(page) < q.Limit {
			slices.Reverse(all)
			return all
		}
		q.Before = page[len(page)-1].Place()
	}
}

// page asks again while the database is away: a scenario may have put out its
// clients, this one among them.
func (b *box) page(q mailstore.Query) (page []mailstore.Summary) {
	b.Helper()
	await(b, "the messaging database answers", func() string {
		var err error
		page, err = b.site.store.Mails(b.Context(), q)
		if err != nil && !fault.IsUnavailable(err) {
			b.Fatal(err)
		}
		return unless(err == nil, "%v", err)
	})
	return page
}

// A record is what of a row is compared with the outcome.
type record struct {
	Folders, Verdict, Reason, Lane string
}

// checkRows compares the messaging database with what was delivered.
func (b *box) checkRows() {
	b.Helper()
	want := map[string][]record{}
	for id, o := range b.mails {
		if o.stays {
			continue
		}
		want[id] = []record{{sorted(o.folders), string(o.verdict()), string(o.reason), string(o.lane)}}
	}
	got := map[string][]record{}
	for _, m := range b.rows() {
		id := strings.Trim(m.MessageID, "<>")
		if id == "" {
			id = identity(must(b.site.store.Raw(b.Context(), b.name, m.MailID))(b))
		}
		r := record{sorted(m.Folders), string(m.Verdict), string(m.Reason), string(m.Lane)}
		if b.mails[id].lane == "" {
			r.Lane = ""
		}
		got[id] = append(got[id], r)
		b.checkLedger(m)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("rows of %s/%s by mail (-want +got):\n%s", b.name, b.doc.ID, diff)
	}
}

// checkLedger checks that the times of a mail are there and in order.
func (b *box) checkLedger(m mailstore.Summary) {
	b.Helper()
	if m.DisposedAt == nil && b.eventsLost {
		return
	}
	if m.FetchedAt == nil || m.ClassifiedAt == nil || m.DisposedAt == nil {
		b.Errorf("mail %s (%s) lacks a time: fetched %v, classified %v, disposed %v", m.MailID, m.MessageID, m.FetchedAt, m.ClassifiedAt, m.DisposedAt)
		return
	}
	times := []time.Time{*m.FetchedAt, *m.ClassifiedAt, m.PersistedAt, *m.DisposedAt}
	if !slices.IsSortedFunc(times, time.Time.Compare) {
		b.Errorf("times of mail %s (%s) are not in order: fetched, classified, persisted, disposed %v", m.MailID, m.MessageID, times)
	}
}

func sorted(folders []string) string {
	folders = slices.Clone(folders)
	slices.Sort(folders)
	return strings.Join(folders, " ")
}

// checkServer compares every folder on the mail server with what belongs there.
func (b *box) checkServer() {
	b.Helper()
	want := map[string][]string{}
	for id, o := range b.mails {
		if folder := b.destination(o); folder != "" {
			want[folder] = append(want[folder], id)
		}
	}
	got := map[string][]string{}
	for _, folder := range b.server.Folders(b.user) {
		mails := b.server.Mails(b.user, folder)
		if folder == "INBOX" {
			mails = b.server.inbox(b.user)
		}
		for _, m := range mails {
			got[folder] = append(got[folder], identity(m.Raw))
			b.checkFlags(folder, m)
		}
	}
	for _, ids := range want {
		slices.Sort(ids)
	}
	for _, ids := range got {
		slices.Sort(ids)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("mails of %s in the folders on the server (-want +got):\n%s", b.user, diff)
	}
}

// checkFlags checks that nothing but the folder of a mail was changed.
func (b *box) checkFlags(folder string, m imaptest.Mail) {
	b.Helper()
	for _, f := range m.Flags {
		if strings.EqualFold(string(f), string(imap.FlagSeen)) || strings.EqualFold(string(f), string(imap.FlagDeleted)) {
			b.Errorf("mail %s in %s has the flag %s", identity(m.Raw), folder, f)
		}
	}
}

// destination returns the folder on the server where a mail belongs in the end,
// "" when it is to be deleted.
func (b *box) destination(o outcome) string {
	if o.stays {
		return "INBOX"
	}
	method, folder := b.doc.PersistedMethod, b.doc.PersistedFolder
	if o.reason != "" {
		method, folder = b.doc.InvalidMethod, b.doc.InvalidFolder
	}
	if method == config.MethodDelete {
		return ""
	}
	return b.server.prefix + folder
}
