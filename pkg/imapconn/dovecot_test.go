//go:build full

package imapconn_test

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

func TestDovecot(t *testing.T) { t.Parallel(); suite(t, imaptest.Dovecot) }

func TestDovecotWithoutIdle(t *testing.T) {
	t.Parallel()
	s := imaptest.Dovecot(t, imaptest.Options{Hide: []string{"IDLE"}})
	c, _ := open(t, s, "u1")
	if c.HasIdle() {
		t.Error("IDLE found that is not offered")
	}
	list(t, c)
	s.Append("u1", "INBOX", imaptest.Message(1, 500), imap.AppendOptions{})
	if changed, err := c.Wait(t.Context(), time.Millisecond); !changed || err != nil {
		t.Errorf("changed = %v, err = %v", changed, err)
	}
}

func TestDovecotWithPrefix(t *testing.T) {
	t.Parallel()
	s := imaptest.Dovecot(t, imaptest.Options{Prefix: "INBOX.", Separator: "."})
	s.Deliver("u1", imaptest.Messages(0, 6, 500)...)
	c, inbox := open(t, s, "u1")
	uids := list(t, c)
	for i, display := range []string{"Done", "INBOX.Done", "Done/Übung 100", "inbox/Done/Übung 100", "/Deep/er/"} {
		moved, err := c.Move(t.Context(), inbox.UIDValidity, uids[i:i+1], display)
		if err != nil || moved.Count != 1 {
			t.Errorf("%q: moved = %+v, err = %v", display, moved, err)
		}
	}
	equal(t, "folders", s.Folders("u1"), []string{"INBOX", "INBOX.Deep", "INBOX.Deep.er", "INBOX.Done", "INBOX.Done.Übung 100"})
	equal(t, "in Done", s.Count("u1", "INBOX.Done"), 2)
	for _, display := range []string{"", "/", "INBOX", "a*b", "a\r\nb"} {
		if _, err := c.Move(t.Context(), inbox.UIDValidity, uids, display); imapconn.KindOf(err) != imapconn.KindFolder {
			t.Errorf("%q: err = %v", display, err)
		}
	}
}

func TestDovecotOverQuota(t *testing.T) {
	t.Parallel()
	for _, hide := range [][]string{nil, {"MOVE"}} {
		s := imaptest.Dovecot(t, imaptest.Options{Quota: 20_000, Hide: hide})
		s.Deliver("u1", imaptest.Messages(0, 10, 1900)...)
		c, inbox := open(t, s, "u1")
		uids := list(t, c)
		moved, err := c.Move(t.Context(), inbox.UIDValidity, uids, "Done")
		if hide == nil {
			if err != nil || moved.Count != len(uids) {
				t.Errorf("MOVE in a full mailbox: %+v, err = %v", moved, err)
			}
			continue
		}
		if imapconn.KindOf(err) != imapconn.KindFolder {
			t.Errorf("COPY in a full mailbox: err = %v", err)
		}
		equal(t, "mails left", list(t, c), uids)
		equal(t, "copied", s.Count("u1", "Done"), 0)
		if slices.ContainsFunc(s.Mails("u1", "INBOX"), func(m imaptest.Mail) bool { return slices.Contains(m.Flags, imap.FlagDeleted) }) {
			t.Error("a mail that was not copied is marked as deleted")
		}
	}
}

// The budget of a watch connection is 64 KiB.
func TestDovecotIdleConnectionsAreSmall(t *testing.T) {
	const n = 100
	s := imaptest.Dovecot(t, imaptest.Options{})
	s.Deliver("u1", imaptest.Messages(0, 50, 5000)...)
	used := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	before := used()
	ctx, cancel := context.WithCancel(t.Context())
	var waiting sync.WaitGroup
	var conns []*imapconn.Conn
	for range n {
		c, err := imapconn.Dial(t.Context(), s.Target("u1"), imapconn.Options{})
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
		if _, err := c.Select(t.Context(), "INBOX"); err != nil {
			t.Fatal(err)
		}
		list(t, c)
		waiting.Go(func() { c.Wait(ctx, time.Hour) })
	}
	imaptest.Eventually(t, "all connections wait", func() bool {
		return strings.Count(string(stacks()), "imapconn.(*Conn).pause") == n
	})
	if each := (used() - before) / n; each > 56<<10 {
		t.Errorf("an idle connection takes %d bytes", each)
	} else {
		t.Logf("an idle connection takes %d bytes", each)
	}
	cancel()
	waiting.Wait()
	for _, c := range conns {
		c.Close()
	}
}

func stacks() []byte {
	b := make([]byte, 8<<20)
	return b[:runtime.Stack(b, true)]
}
