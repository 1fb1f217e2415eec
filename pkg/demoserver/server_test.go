package demoserver_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/demoserver"
)

const childDir = "DEMOSERVER_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

func text(n int) []byte {
	return fmt.Appendf(nil, "From: a%d@example.org\r\nSubject: mail %d\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\n\r\ntext of mail %d\r\n", n, n, n)
}

func start(t testing.TB, dir string) *demoserver.Server {
	t.Helper()
	s, err := demoserver.Start(t.Context(), demoserver.Options{Dir: dir, Users: map[string]string{"ann": "secret", "../bob": "x"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func deliver(t testing.TB, s *demoserver.Server, n int) {
	t.Helper()
	for i := range n {
		if _, err := s.Deliver("ann", text(i+1)); err != nil {
			t.Fatal(err)
		}
	}
}

func client(t testing.TB, s *demoserver.Server, opts *imapclient.Options) *imapclient.Client {
	t.Helper()
	c, err := imapclient.DialInsecure(s.Addr().String(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.Login("ann", "secret").Wait(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Select("INBOX", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	return c
}

func uids(t testing.TB, s *demoserver.Server, folder string) []uint32 {
	t.Helper()
	list, err := s.Messages("ann", folder)
	if err != nil {
		t.Fatal(err)
	}
	var uids []uint32
	for _, m := range list {
		uids = append(uids, m.UID)
	}
	return uids
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// child delivers and moves mails until it is killed, saying what is done.
func child(dir string) {
	s, err := demoserver.Start(context.Background(), demoserver.Options{Dir: dir, Users: map[string]string{"ann": "secret"}})
	if err != nil {
		panic(err)
	}
	c, err := imapclient.DialInsecure(s.Addr().String(), nil)
	if err != nil {
		panic(err)
	}
	c.Login("ann", "secret").Wait()
	c.Create("Done", nil).Wait()
	c.Select("INBOX", nil).Wait()
	for n := 1; ; n++ {
		uid, err := s.Deliver("ann", text(n))
		if err != nil {
			panic(err)
		}
		fmt.Println("delivered", n, uid)
		if n%3 == 0 {
			c.Noop().Wait() // else the session does not know the mail
			if _, err := c.Move(imap.UIDSetNum(imap.UID(uid)), "Done").Wait(); err != nil {
				panic(err)
			}
			fmt.Println("moved", n, uid)
		}
	}
}

func TestMailsSurviveAKill(t *testing.T) {
	dir := t.TempDir()
	var last uint32
	for range 2 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		inInbox := make(map[uint32]int)
		first := uint32(0)
		lines := bufio.NewScanner(out)
		for i := 0; i < 300 && lines.Scan(); i++ {
			var what string
			var n int
			var uid uint32
			fmt.Sscan(lines.Text(), &what, &n, &uid)
			if first == 0 {
				first = uid
			}
			if what == "moved" {
				delete(inInbox, uid)
			} else {
				inInbox[uid] = n
			}
		}
		cmd.Process.Kill()
		cmd.Wait()
		if first <= last {
			t.Errorf("UID %d was given again, the last was %d", first, last)
		}
		s := start(t, dir)
		for uid, n := range inInbox {
			raw, err := s.Raw("ann", "INBOX", uid)
			if n%3 != 0 && (err != nil || !bytes.Equal(raw, text(n))) {
				t.Errorf("mail %d with UID %d after the kill: %q, %v", n, uid, raw, err)
			}
			last = max(last, uid)
		}
		if len(uids(t, s, "Done")) < 50 {
			t.Errorf("moved mails are missing: %v", uids(t, s, "Done"))
		}
		s.Close()
	}
}

func TestRestartKeepsEverything(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	deliver(t, s, 5)
	c := client(t, s, nil)
	for _, name := range []string{"A/B", "..", "Gelöscht", "&41", "=x"} {
		if err := c.Create(name, nil).Wait(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Store(imap.UIDSetNum(2), &imap.StoreFlags{Op: imap.StoreFlagsSet, Flags: []imap.Flag{imap.FlagFlagged, imap.FlagDeleted}}, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.UIDExpunge(imap.UIDSetNum(1, 2)).Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Subscribe("A/B").Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Store(imap.UIDSetNum(5), &imap.StoreFlags{Op: imap.StoreFlagsAdd, Flags: []imap.Flag{imap.FlagAnswered}}, nil).Close(); err != nil {
		t.Fatal(err)
	}
	mails, _ := s.Messages("ann", "INBOX")
	before, err := c.Select("INBOX", nil).Wait()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()

	s = start(t, dir)
	again, _ := s.Messages("ann", "INBOX")
	equal(t, "mails", again, mails)
	names, _ := s.Folders("ann")
	equal(t, "folders", names, []string{"&41", "..", "=x", "A/B", "Gelöscht", "INBOX"})
	c = client(t, s, nil)
	after, err := c.Select("INBOX", nil).Wait()
	if err != nil || after.UIDValidity != before.UIDValidity || after.UIDNext < before.UIDNext {
		t.Errorf("inbox went from %+v to %+v, %v", before, after, err)
	}
	list, err := c.List("", "*", &imap.ListOptions{SelectSubscribed: true}).Collect()
	if err != nil || len(list) != 1 || list[0].Mailbox != "A/B" {
		t.Errorf("subscribed: %+v, %v", list, err)
	}
}

func TestAFolderMadeAnewHasAnotherUIDValidity(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	seen := make(map[uint32]bool)
	for i := range 4 {
		c := client(t, s, nil)
		if err := c.Create("X", nil).Wait(); err != nil {
			t.Fatal(err)
		}
		data, err := c.Status("X", &imap.StatusOptions{UIDValidity: true}).Wait()
		if err != nil || seen[data.UIDValidity] {
			t.Fatalf("UIDVALIDITY %d, seen before: %v, %v", data.UIDValidity, seen, err)
		}
		seen[data.UIDValidity] = true
		if err := c.Delete("X").Wait(); err != nil {
			t.Fatal(err)
		}
		if i == 1 {
			s.Close()
			s = start(t, dir)
		}
	}
}

func TestSessionsSeeEachOther(t *testing.T) {
	s := start(t, t.TempDir())
	deliver(t, s, 5)
	var mu sync.Mutex
	var expunged []uint32
	exists := make(chan uint32, 10)
	a := client(t, s, &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{
		Expunge: func(seq uint32) { mu.Lock(); expunged = append(expunged, seq); mu.Unlock() },
		Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				exists <- *data.NumMessages
			}
		},
	}})
	b := client(t, s, nil)
	if err := b.Create("Done", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	data, err := b.Move(imap.UIDSetNum(2, 4), "Done").Wait()
	if err != nil || data.SourceUIDs.String() != "2,4" || data.DestUIDs.String() != "1:2" {
		t.Fatalf("moved %+v, %v", data, err)
	}
	// Not told yet: sequence numbers still count the moved ones, which are not there.
	msgs, err := a.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{UID: true}).Collect()
	if err != nil || len(msgs) != 3 || msgs[2].SeqNum != 5 || msgs[2].UID != 5 {
		t.Errorf("messages before EXPUNGE: %+v, %v", msgs, err)
	}
	if err := a.Noop().Wait(); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	equal(t, "expunged", expunged, []uint32{4, 2})
	mu.Unlock()
	msgs, err = a.Fetch(imap.SeqSet{{Start: 1}}, &imap.FetchOptions{UID: true}).Collect()
	if err != nil || len(msgs) != 3 || msgs[2].SeqNum != 3 || msgs[2].UID != 5 {
		t.Errorf("messages after EXPUNGE: %+v, %v", msgs, err)
	}
	idle, err := a.Idle()
	if err != nil {
		t.Fatal(err)
	}
	deliver(t, s, 1)
	select {
	case n := <-exists:
		if n != 4 {
			t.Errorf("EXISTS %d; want 4", n)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("an idle session was not told of a new mail")
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	if err := idle.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestMovesInBothDirectionsBesideDownloads(t *testing.T) {
	s := start(t, t.TempDir())
	deliver(t, s, 60)
	setup := client(t, s, nil)
	if err := setup.Create("Other", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for _, way := range [][2]string{{"INBOX", "Other"}, {"Other", "INBOX"}, {"INBOX", "Other"}} {
		c := client(t, s, nil)
		wg.Go(func() {
			for range 15 {
				if _, err := c.Select(way[0], nil).Wait(); err != nil {
					t.Error(err)
					return
				}
				set := imap.UIDSet{{Start: 1}}
				msgs, err := c.Fetch(set, &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{{Peek: true}}}).Collect()
				if err != nil {
					t.Error(err)
					return
				}
				for _, m := range msgs {
					if body := m.BodySection[0].Bytes; !bytes.Contains(body, []byte("text of mail")) {
						t.Errorf("body = %q", body)
					}
				}
				if _, err := c.Move(set, way[1]).Wait(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := len(uids(t, s, "INBOX")) + len(uids(t, s, "Other")); n != 60 {
		t.Errorf("%d mails, want 60", n)
	}
}

func TestSearch(t *testing.T) {
	s := start(t, t.TempDir())
	deliver(t, s, 4)
	c := client(t, s, nil)
	old := time.Date(2020, 1, 2, 3, 0, 0, 0, time.UTC)
	raw := "Subject: long\r\n folded words\r\n\r\n" + strings.Repeat("x", 5000)
	app := c.Append("INBOX", int64(len(raw)), &imap.AppendOptions{Time: old, Flags: []imap.Flag{imap.FlagSeen, imap.FlagDeleted}})
	app.Write([]byte(raw))
	app.Close()
	if data, err := app.Wait(); err != nil || data.UID != 5 {
		t.Fatalf("appended %+v, %v", data, err)
	}
	for name, test := range map[string]struct {
		criteria imap.SearchCriteria
		want     string
	}{
		"all":        {imap.SearchCriteria{}, "1:5"},
		"undeleted":  {imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagDeleted}}, "1:4"},
		"seen":       {imap.SearchCriteria{Flag: []imap.Flag{imap.FlagSeen}}, "5"},
		"keyword":    {imap.SearchCriteria{Flag: []imap.Flag{"$Junk"}}, ""},
		"since":      {imap.SearchCriteria{Since: old.AddDate(0, 0, 1)}, "1:4"},
		"before":     {imap.SearchCriteria{Before: old.AddDate(0, 0, 1)}, "5"},
		"larger":     {imap.SearchCriteria{Larger: 5000}, "5"},
		"UID":        {imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 4}}}}, "4:5"},
		"UID beyond": {imap.SearchCriteria{UID: []imap.UIDSet{{{Start: 40}}}}, "5"}, // n:* names the last
		"header":     {imap.SearchCriteria{Header: []imap.SearchCriteriaHeaderField{{Key: "Subject", Value: "FOLDED"}}}, "5"},
		"body":       {imap.SearchCriteria{Body: []string{"Mail 3"}}, "3"},
		"sent":       {imap.SearchCriteria{SentSince: time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)}, "1:4"},
		"not":        {imap.SearchCriteria{Not: []imap.SearchCriteria{{Body: []string{"mail 3"}}}}, "1:2,4:5"},
		"or":         {imap.SearchCriteria{Or: [][2]imap.SearchCriteria{{{Text: []string{"a1@"}}, {Larger: 5000}}}}, "1,5"},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := c.UIDSearch(&test.criteria, nil).Wait()
			if err != nil || data.All.String() != test.want {
				t.Errorf("found %v, want %s, %v", data.All, test.want, err)
			}
		})
	}
}

func TestWrongPassword(t *testing.T) {
	s := start(t, t.TempDir())
	for _, user := range [][2]string{{"ann", "x"}, {"nobody", "secret"}, {"../bob", ""}} {
		c, err := imapclient.DialInsecure(s.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Login(user[0], user[1]).Wait(); err == nil {
			t.Errorf("%v signed in", user)
		}
		c.Close()
	}
}

func TestCloseWithOpenConnections(t *testing.T) {
	s := start(t, t.TempDir())
	var clients []*imapclient.Client
	for range 5 {
		clients = append(clients, client(t, s, nil))
	}
	idle, err := clients[0].Idle()
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
	for _, c := range clients {
		<-c.Closed()
	}
	idle.Close()
}

func TestNamesOfMailsAndFolders(t *testing.T) {
	s := start(t, t.TempDir())
	c := client(t, s, nil)
	for _, name := range []string{strings.Repeat("x", 300), "INBOX"} {
		if err := c.Create(name, nil).Wait(); err == nil {
			t.Errorf("created %.20q", name)
		}
	}
	if err := c.Create("A/B/C", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Create("A", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Rename("A", "Z", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	names, _ := s.Folders("ann")
	if !slices.Equal(names, []string{"INBOX", "Z", "Z/B/C"}) {
		t.Errorf("folders = %q", names)
	}
	if _, err := c.Move(imap.UIDSetNum(1), "none").Wait(); err == nil {
		t.Error("moved to a folder that does not exist")
	}
}

// A folder that moves below itself, as RENAME allows, moves once.
func TestAFolderMovesBelowItself(t *testing.T) {
	s := start(t, t.TempDir())
	c := client(t, s, nil)
	for i := range 20 { // the order in which a map is gone through is another each time
		from := fmt.Sprintf("F%d", i)
		for _, name := range []string{from, from + "/x"} {
			if err := c.Create(name, nil).Wait(); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Rename(from, from+"/below", nil).Wait(); err != nil {
			t.Fatal(err)
		}
		names, err := s.Folders("ann")
		if err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, from+"/") && name != from })
		if diff := cmp.Diff([]string{from + "/below", from + "/below/x"}, got); diff != "" {
			t.Fatalf("the folders are (-want +got):\n%s", diff)
		}
	}
}
