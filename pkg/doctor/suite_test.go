package doctor_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/routing"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

func TestDemo(t *testing.T) { t.Parallel(); suite(t, imaptest.Demo) }

// suite runs against every kind of server.
func suite(t *testing.T, start func(testing.TB, imaptest.Options) *imaptest.Server) {
	s := start(t, imaptest.Options{})
	t.Run("mailbox", func(t *testing.T) { t.Parallel(); testMailbox(t, s, "u1") })
	t.Run("deleting mailbox", func(t *testing.T) { t.Parallel(); testDeleting(t, s, "u2") })
	t.Run("left over", func(t *testing.T) { t.Parallel(); testLeftOver(t, s, "u3") })
	t.Run("folders", func(t *testing.T) { t.Parallel(); testFolders(t, s, "u4") })
	t.Run("dry run", func(t *testing.T) { t.Parallel(); testDryRun(t, s, "u5") })
	t.Run("import scope", func(t *testing.T) { t.Parallel(); testScope(t, s, "u6") })
	t.Run("bare server", func(t *testing.T) {
		t.Parallel()
		testBare(t, start(t, imaptest.Options{Hide: []string{"MOVE", "UIDPLUS", "NAMESPACE", "ESEARCH"}}))
	})
}

// unchanged checks that a run leaves folders and mails as they were.
func unchanged(t *testing.T, s *imaptest.Server, user string, run func()) {
	t.Helper()
	folders, mails := s.Folders(user), contents(s, user)
	run()
	if diff := cmp.Diff(folders, s.Folders(user)); diff != "" {
		t.Errorf("folders (-before +after):\n%s", diff)
	}
	if diff := cmp.Diff(mails, contents(s, user)); diff != "" {
		t.Errorf("mails (-before +after):\n%s", diff)
	}
}

// contents returns the mails of the inbox. Which are \Recent does not count: to
// open a folder changes that.
func contents(s *imaptest.Server, user string) []imaptest.Mail {
	mails := s.Mails(user, "INBOX")
	for i := range mails {
		mails[i].Flags = append([]imap.Flag(nil), slices.DeleteFunc(mails[i].Flags, func(f imap.Flag) bool { return f == `\Recent` })...)
	}
	return mails
}

func testMailbox(t *testing.T, s *imaptest.Server, user string) {
	s.Deliver(user, imaptest.Messages(1, 3, 500)...)
	s.Append(user, "INBOX", imaptest.Message(4, 500), imap.AppendOptions{})
	req := request(s.Target(user))
	unchanged(t, s, user, func() {
		report, steps := examine(t, doctor.Doctor{}, req)
		if report.Outcome == doctor.Failed || steps[doctor.StepIdle].Outcome != doctor.OK || steps[doctor.StepSend].Outcome != doctor.Skipped {
			t.Errorf("it is %s", report.Outcome)
		}
		if value(steps[doctor.StepInbox], "Messages") != "4" || value(steps[doctor.StepRights], "Move a mail by MOVE") == "" {
			t.Errorf("%+v\n%+v", steps[doctor.StepInbox], steps[doctor.StepRights])
		}
		if len(report.Steps) != len(doctor.Plan()) || report.Took <= 0 {
			t.Errorf("%d steps in %v", len(report.Steps), report.Took)
		}
	})
}

func testDeleting(t *testing.T, s *imaptest.Server, user string) {
	req := request(s.Target(user))
	req.Document.PersistedMethod = config.MethodDelete
	unchanged(t, s, user, func() {
		report, steps := examine(t, doctor.Doctor{}, req)
		if rights := steps[doctor.StepRights]; report.Outcome == doctor.Failed || value(rights, "Delete a mail") != "done" || value(rights, "Move a mail by MOVE") == "" {
			t.Errorf("%+v", rights)
		}
	})
}

// What a run that was killed left is removed; what another one uses now, and what
// only looks alike, stays.
func testLeftOver(t *testing.T, s *imaptest.Server, user string) {
	fresh := "mailyard-doctor-" + time.Now().UTC().Format("20060102150405") + "-abcdefgh"
	stay := []string{fresh, "mailyard-doctor-notes", "mailyard-doctor-20200102030405-abcdefgh-x"}
	c := s.Client(user)
	defer c.Close()
	for _, name := range append(stay, "mailyard-doctor-20200102030405-abcdefgh") {
		if err := c.Create(name, nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	_, steps := examine(t, doctor.Doctor{}, request(s.Target(user)))
	if value(steps[doctor.StepRights], "Left over from an earlier run") == "" {
		t.Errorf("%+v", steps[doctor.StepRights])
	}
	want := append(stay, "INBOX")
	slices.Sort(want)
	if diff := cmp.Diff(want, s.Folders(user)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func testFolders(t *testing.T, s *imaptest.Server, user string) {
	c := s.Client(user)
	defer c.Close()
	for _, name := range []string{"Projekte", "Projekte/Straße", "Lost & found"} {
		if err := c.Create(name, nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	names, err := doctor.Doctor{}.Folders(t.Context(), request(s.Target(user)))
	if diff := cmp.Diff([]string{"INBOX", "Lost & found", "Projekte", "Projekte/Straße"}, names); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func testBare(t *testing.T, s *imaptest.Server) {
	s.Deliver("u1", imaptest.Message(1, 500))
	unchanged(t, s, "u1", func() {
		_, steps := examine(t, doctor.Doctor{}, request(s.Target("u1")))
		if steps[doctor.StepAbilities].Outcome != doctor.Warning || steps[doctor.StepRights].Outcome != doctor.Warning {
			t.Errorf("%+v\n%+v", steps[doctor.StepAbilities], steps[doctor.StepRights])
		}
	})
}

func addressed(n int, to string, size int) []byte {
	return append(fmt.Appendf(nil, "From: =?utf-8?q?J=C3=B6rg?= <j%d@example.org>\r\nTo: %s\r\nSubject: mail %d\r\n", n, to, n), imaptest.Message(n, size)[len(fmt.Sprintf("From: Sender %d <sender%d@example.org>\r\nTo: support@example.com\r\nSubject: mail %d\r\n", n, n, n)):]...)
}

func rules() *routing.Table {
	return routing.Compile(routing.Rules{
		Tenant: "acme", Mailbox: "desk", Login: "desk@example.com", Unmatched: "invalid", Recipients: "auto", Plus: true,
		Folders: []routing.Folder{{ID: "support", Name: "Support", Addresses: []string{"support@example.com"}}, {ID: "sales", Name: "Sales", Addresses: []string{"sales@example.com"}}},
	})
}

func testDryRun(t *testing.T, s *imaptest.Server, user string) {
	for n := 1; n <= 60; n++ {
		to := "sales@example.com"
		switch {
		case n > 54:
			to = "support+x@example.com, sales@example.com"
		case n == 54:
			to = "nobody@example.com"
		}
		s.Deliver(user, addressed(n, to, 300))
	}
	s.Deliver(user, addressed(61, "support@example.com", 20_000), addressed(62, "support@example.com", 60_000))
	recent := recents(s, user)
	req := request(s.Target(user))
	req.Document.MaxEmailBytes, req.Document.MaxLightBytes, req.Document.InvalidMethod = 50_000, 10_000, config.MethodDelete
	unchanged(t, s, user, func() {
		got, err := doctor.Doctor{}.DryRun(t.Context(), req, doctor.DryRunOptions{Route: rules()})
		if err != nil {
			t.Fatal(err)
		}
		if got.Total != 62 || got.WouldImport != 62 || got.LeftAlone != 0 || len(got.Mails) != 50 {
			t.Errorf("%d, %d, %d, %d mails", got.Total, got.WouldImport, got.LeftAlone, len(got.Mails))
		}
		var texts []string
		for _, c := range got.Summary {
			texts = append(texts, c.Text)
		}
		if diff := cmp.Diff([]string{"41 → Sales", "6 → Support + Sales", "1 too large", "1 unmatched", "1 → Support"}, texts); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		big, large, both := got.Mails[0], got.Mails[1], got.Mails[2]
		if big.Decision.Reason != schemas.ReasonOversize || big.Lane != schemas.Large || big.Server != "is deleted, by way of DeletedCCSPItems" {
			t.Errorf("%+v", big)
		}
		if large.Decision.Verdict != schemas.Accepted || large.Lane != schemas.Large || large.Server != "moves to PersistedCCSPItems" || large.From != "Jörg <j61@example.org>" || large.Subject != "mail 61" {
			t.Errorf("%+v", large)
		}
		if len(both.Decision.Clones) != 2 || both.Lane != schemas.Light || both.Reason != "Support: support+x@example.com in To, without its +tag; Sales: sales@example.com in To" {
			t.Errorf("%+v", both)
		}
	})
	if now := recents(s, user); now != recent {
		t.Errorf("%d mails are recent, were %d", now, recent)
	}
}

// recents returns how many mails no client has seen yet, without seeing them.
func recents(s *imaptest.Server, user string) int {
	n := 0
	for _, m := range s.Mails(user, "INBOX") {
		if slices.Contains(m.Flags, `\Recent`) {
			n++
		}
	}
	return n
}

func testScope(t *testing.T, s *imaptest.Server, user string) {
	now := time.Now().Truncate(time.Second)
	for n, age := range []time.Duration{100, 50, 10, 1} {
		s.Append(user, "INBOX", addressed(n, "sales@example.com", 300), imap.AppendOptions{Time: now.Add(-age * 24 * time.Hour)})
	}
	s.Append(user, "INBOX", addressed(9, "sales@example.com", 300), imap.AppendOptions{Time: now, Flags: []imap.Flag{imap.FlagDeleted}})
	for name, test := range map[string]struct {
		opts doctor.DryRunOptions
		want [3]int
	}{
		"all":                {doctor.DryRunOptions{}, [3]int{4, 4, 0}},
		"new":                {doctor.DryRunOptions{Since: "new"}, [3]int{4, 0, 4}},
		"new since a moment": {doctor.DryRunOptions{Since: "new", EnabledAt: now.Add(-20 * 24 * time.Hour)}, [3]int{4, 2, 2}},
		"since a day":        {doctor.DryRunOptions{Since: now.Add(-60 * 24 * time.Hour).Format(time.DateOnly)}, [3]int{4, 3, 1}},
		"the newest":         {doctor.DryRunOptions{Newest: 1}, [3]int{4, 4, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.opts.Route = rules()
			got, err := doctor.Doctor{}.DryRun(t.Context(), request(s.Target(user)), test.opts)
			if diff := cmp.Diff(test.want, [3]int{got.Total, got.WouldImport, got.LeftAlone}); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
			if test.opts.Newest == 1 && (len(got.Mails) != 1 || got.Mails[0].Subject != "mail 3") {
				t.Errorf("%+v", got.Mails)
			}
		})
	}
	if _, err := (doctor.Doctor{}).DryRun(t.Context(), request(s.Target(user)), doctor.DryRunOptions{Since: "yesterday"}); err == nil {
		t.Error("yesterday is taken for a date")
	}
}
