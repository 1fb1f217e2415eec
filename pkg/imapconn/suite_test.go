package imapconn_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dial connects and closes with the test.
func dial(t testing.TB, target imapconn.Target, opts imapconn.Options) *imapconn.Conn {
	t.Helper()
	if opts.Logger == nil {
		opts.Logger = zaptest.NewLogger(t)
	}
	c, err := imapconn.Dial(t.Context(), target, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// open connects and selects the inbox.
func open(t testing.TB, s *imaptest.Server, user string) (*imapconn.Conn, imapconn.Inbox) {
	t.Helper()
	c := dial(t, s.Target(user), imapconn.Options{})
	inbox, err := c.Select(t.Context(), "INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return c, inbox
}

func list(t testing.TB, c *imapconn.Conn) []uint32 {
	t.Helper()
	uids, err := c.List(t.Context(), imapconn.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return uids
}

// batches returns a next function for Fetch.
func batches(all ...[]imapconn.MailInfo) func(context.Context) ([]imapconn.MailInfo, bool) {
	return func(context.Context) ([]imapconn.MailInfo, bool) {
		if len(all) == 0 {
			return nil, false
		}
		b := all[0]
		all = all[1:]
		return b, true
	}
}

func infos(uids ...uint32) []imapconn.MailInfo {
	var m []imapconn.MailInfo
	for _, uid := range uids {
		m = append(m, imapconn.MailInfo{UID: uid})
	}
	return m
}

// fetch downloads all batches and returns the bodies and what was missing.
func fetch(t testing.TB, c *imapconn.Conn, depth int, all ...[]imapconn.MailInfo) (bodies map[uint32][]byte, missing []uint32) {
	t.Helper()
	bodies = make(map[uint32][]byte)
	finished := 0
	err := c.Fetch(t.Context(), imapconn.FetchOptions{Depth: depth}, batches(all...), func(info imapconn.MailInfo, r io.Reader) error {
		raw, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if _, twice := bodies[info.UID]; twice {
			t.Errorf("UID %d came twice", info.UID)
		}
		if int64(len(raw)) != info.Size {
			t.Errorf("UID %d: %d bytes, said to be %d", info.UID, len(raw), info.Size)
		}
		bodies[info.UID] = raw
		return nil
	}, func(_ []imapconn.MailInfo, m []uint32) { missing = append(missing, m...); finished++ })
	if err != nil {
		t.Fatal(err)
	}
	if finished != len(all) {
		t.Errorf("%d batches were finished, want %d", finished, len(all))
	}
	return bodies, missing
}

func equal[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestDemo(t *testing.T) { t.Parallel(); suite(t, imaptest.Demo) }

// suite runs against every kind of server.
func suite(t *testing.T, start func(testing.TB, imaptest.Options) *imaptest.Server) {
	s := start(t, imaptest.Options{})
	t.Run("security", func(t *testing.T) { t.Parallel(); testSecurity(t, s) })
	t.Run("folders", func(t *testing.T) { t.Parallel(); testFolders(t, s, "u8") })
	t.Run("progress", func(t *testing.T) { t.Parallel(); testProgress(t, s, "u8") })
	t.Run("list", func(t *testing.T) { t.Parallel(); testList(t, s) })
	t.Run("fetch", func(t *testing.T) { t.Parallel(); testFetch(t, s) })
	t.Run("several connections", func(t *testing.T) { t.Parallel(); testConnections(t, s) })
	t.Run("headers", func(t *testing.T) { t.Parallel(); testHeaders(t, s) })
	t.Run("wait", func(t *testing.T) { t.Parallel(); testWait(t, s) })
	for name, hide := range map[string][]string{
		"MOVE":                 nil,
		"UIDPLUS":              {"MOVE"},
		"neither":              {"MOVE", "UIDPLUS", "ESEARCH"},
		"MOVE without UIDPLUS": {"UIDPLUS"},
	} {
		t.Run("move with "+name, func(t *testing.T) {
			t.Parallel()
			s := s
			if hide != nil {
				s = start(t, imaptest.Options{Hide: hide})
			}
			testMove(t, s, hide)
		})
	}
	t.Run("no NAMESPACE", func(t *testing.T) {
		t.Parallel()
		testNoNamespace(t, start(t, imaptest.Options{Hide: []string{"NAMESPACE"}}))
	})
	t.Run("restart", func(t *testing.T) { t.Parallel(); testRestart(t, start(t, imaptest.Options{})) })
}

func testList(t *testing.T, s *imaptest.Server) {
	const user = "u1"
	early := time.Date(2025, 3, 1, 23, 30, 0, 0, time.FixedZone("", 5*3600))
	late := time.Date(2025, 3, 2, 0, 30, 0, 0, time.UTC)
	for i, opts := range []imap.AppendOptions{{Time: early}, {Time: late}, {Flags: []imap.Flag{imap.FlagDeleted}}, {Flags: []imap.Flag{imap.FlagSeen}}} {
		s.Append(user, "INBOX", imaptest.Message(i, 500), opts)
	}
	c, inbox := open(t, s, user)
	if inbox.UIDValidity == 0 || inbox.Messages != 4 || inbox.UIDNext != 5 {
		t.Errorf("inbox = %+v", inbox)
	}
	equal(t, "all but the deleted", list(t, c), []uint32{1, 2, 4})
	uids, err := c.List(t.Context(), imapconn.ListOptions{Since: late})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "since the moment of the second", uids, []uint32{2, 4})
	uids, err = c.List(t.Context(), imapconn.ListOptions{Since: late.Add(time.Second), After: 1})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "since a second later", uids, []uint32{4})
	uids, err = c.List(t.Context(), imapconn.ListOptions{After: 4})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "after the last", len(uids), 0)
	sizes, err := c.Sizes(t.Context(), []uint32{4, 2, 1, 99})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(sizes, func(a, b imapconn.MailInfo) int { return int(a.UID) - int(b.UID) })
	if len(sizes) != 3 || sizes[0].Size != int64(len(imaptest.Message(0, 500))) || !sizes[0].InternalDate.Equal(early) {
		t.Errorf("sizes = %+v", sizes)
	}
	there, err := c.Exists(t.Context(), []uint32{3, 4, 5, 4000000000})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "existing", there, []uint32{3, 4})
}

func testFetch(t *testing.T, s *imaptest.Server) {
	const user, n = "u2", 120
	mails := imaptest.Messages(0, n, 3000)
	mails[7] = imaptest.Message(7, 900_000)
	s.Deliver(user, mails...)
	c, _ := open(t, s, user)
	uids := list(t, c)
	if len(uids) != n {
		t.Fatalf("%d mails listed, want %d", len(uids), n)
	}
	var all [][]imapconn.MailInfo
	for part := range slices.Chunk(uids, 16) {
		all = append(all, infos(append(part, 100000+part[0])...))
	}
	for _, depth := range []int{1, 2, 5} {
		bodies, missing := fetch(t, c, depth, all...)
		if len(missing) != len(all) || len(bodies) != n {
			t.Errorf("depth %d: %d bodies, missing %v", depth, len(bodies), missing)
		}
		var got [][]byte
		for _, raw := range bodies {
			got = append(got, raw)
		}
		slices.SortFunc(got, bytes.Compare)
		want := slices.SortedFunc(slices.Values(mails), bytes.Compare)
		if !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("depth %d: the bodies are not the mails", depth)
		}
	}
	for _, m := range s.Mails(user, "INBOX") {
		if slices.Contains(m.Flags, imap.FlagSeen) {
			t.Fatal("a download marked a mail as seen")
		}
	}
	t.Run("skipped bodies", func(t *testing.T) {
		err := c.Fetch(t.Context(), imapconn.FetchOptions{}, batches(infos(uids...)), func(_ imapconn.MailInfo, r io.Reader) error {
			_, err := r.Read(make([]byte, 10))
			return err
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "the connection is good", len(list(t, c)), n)
	})
	t.Run("an error of the caller", func(t *testing.T) {
		mine := errors.New("mine")
		calls := 0
		err := c.Fetch(t.Context(), imapconn.FetchOptions{}, batches(all...), func(imapconn.MailInfo, io.Reader) error { calls++; return mine }, nil)
		if !errors.Is(err, mine) || calls != 1 {
			t.Errorf("err = %v after %d calls", err, calls)
		}
	})
}

// One connection is told of mails that another lists, downloads or moves.
func testConnections(t *testing.T, s *imaptest.Server) {
	const user, n = "u6", 30
	watch, inbox := open(t, s, user)
	light, _ := open(t, s, user)
	large, _ := open(t, s, user)
	disposer, _ := open(t, s, user)
	s.Deliver(user, imaptest.Messages(0, n, 1000)...)
	var uids []uint32
	imaptest.Eventually(t, "the mails are listed", func() bool { uids = list(t, watch); return len(uids) == n })

	bodies, missing := fetch(t, light, 2, infos(uids[:10]...), infos(uids[10:20]...))
	if len(bodies) != 20 || len(missing) != 0 {
		t.Errorf("%d bodies, missing %v", len(bodies), missing)
	}
	missing, err := large.FetchHeaders(t.Context(), infos(uids[20:]...), 1000, func(imapconn.MailInfo, []byte) error { return nil })
	if err != nil || len(missing) != 0 {
		t.Errorf("missing headers %v, %v", missing, err)
	}
	moved, err := disposer.Move(t.Context(), inbox.UIDValidity, uids[:25], "Done")
	if err != nil || moved.Count != 25 {
		t.Errorf("moved %+v, %v", moved, err)
	}

	// What is gone is missing, and does not exist.
	for name, c := range map[string]*imapconn.Conn{"watch": watch, "light": light, "large": large} {
		_, missing := fetch(t, c, 2, infos(uids...))
		if len(missing) > 25 {
			t.Errorf("%s: missing %v", name, missing)
		}
		there, err := c.Exists(t.Context(), uids)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name+": existing", there, uids[25:])
		equal(t, name+": listed", list(t, c), uids[25:])
	}
}

func testHeaders(t *testing.T, s *imaptest.Server) {
	const user = "u3"
	s.Deliver(user, imaptest.Messages(0, 3, 50_000)...)
	c, _ := open(t, s, user)
	uids := list(t, c)
	for _, limit := range []int{100, 64 << 10} {
		before := c.Counters()
		n := 0
		missing, err := c.FetchHeaders(t.Context(), infos(append(uids, 99999)...), limit, func(_ imapconn.MailInfo, h []byte) error {
			n++
			if len(h) > limit || !bytes.Contains(h, []byte("From: Sender")) && !bytes.Contains(h, []byte("Return-Path")) {
				t.Errorf("header = %q", h)
			}
			if limit > 1000 && !bytes.HasSuffix(h, []byte("\r\n\r\n")) {
				t.Errorf("header section does not end in an empty line: %q", h)
			}
			return nil
		})
		if err != nil || n != 3 {
			t.Fatalf("%d headers, err = %v", n, err)
		}
		equal(t, "missing", missing, []uint32{99999})
		after := c.Counters()
		if after.BodyBytes != before.BodyBytes || after.BytesRead-before.BytesRead > 3000 {
			t.Errorf("counters went from %+v to %+v: bodies crossed the wire", before, after)
		}
	}
}

func testWait(t *testing.T, s *imaptest.Server) {
	const user = "u4"
	c, _ := open(t, s, user)
	if !c.HasIdle() {
		t.Fatal("no IDLE")
	}
	list(t, c)
	changed, err := c.Wait(t.Context(), 50*time.Millisecond)
	if changed || err != nil {
		t.Fatalf("quiet: changed = %v, err = %v", changed, err)
	}
	for range 3 {
		delivered := make(chan time.Time, 1)
		timer := time.AfterFunc(100*time.Millisecond, func() {
			delivered <- time.Now()
			s.Append(user, "INBOX", imaptest.Message(1, 500), imap.AppendOptions{})
		})
		before := len(list(t, c))
		for len(list(t, c)) == before {
			if _, err = c.Wait(t.Context(), 10*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		timer.Stop()
		if took := time.Since(<-delivered); took > 5*time.Second {
			t.Errorf("new mail was told after %v", took)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Wait(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("err = %v, want the context's", err)
	}
	if c.Alive() {
		t.Error("the connection outlived its context")
	}
}

func testNoNamespace(t *testing.T, s *imaptest.Server) {
	c, _ := open(t, s, "u1")
	if err := c.EnsureFolder(t.Context(), "A/B"); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.Folders("u1"), "A/B") {
		t.Errorf("folders = %q", s.Folders("u1"))
	}
}

func testRestart(t *testing.T, s *imaptest.Server) {
	s.Deliver("u1", imaptest.Messages(0, 5, 1000)...)
	c, before := open(t, s, "u1")
	uids := list(t, c)
	s.Kill()
	if _, err := c.List(t.Context(), imapconn.ListOptions{}); imapconn.KindOf(err) != imapconn.KindUnreachable {
		t.Errorf("listing on a killed server: %v", err)
	}
	_, err := imapconn.Dial(t.Context(), s.Target("u1"), imapconn.Options{})
	if imapconn.KindOf(err) != imapconn.KindUnreachable {
		t.Errorf("connecting to a killed server: %v", err)
	}
	s.Restart()
	c, after := open(t, s, "u1")
	equal(t, "UIDVALIDITY", after.UIDValidity, before.UIDValidity)
	equal(t, "UIDs", list(t, c), uids)
}
