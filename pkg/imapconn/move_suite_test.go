package imapconn_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/emersion/go-imap/v2"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

// testMove moves and deletes on a server that lacks some capabilities.
func testMove(t *testing.T, s *imaptest.Server, hide []string) {
	const user = "u5"
	move, uidplus := !slices.Contains(hide, "MOVE"), !slices.Contains(hide, "UIDPLUS")
	method := imapconn.MethodMove
	if !move {
		method = imapconn.MethodCopyExpunge
		if !uidplus {
			method = imapconn.MethodCopyFlag
		}
	}
	s.Deliver(user, imaptest.Messages(0, 12, 800)...)
	// Somebody else deleted a mail and has not expunged yet.
	s.Append(user, "INBOX", imaptest.Message(12, 800), imap.AppendOptions{Flags: []imap.Flag{imap.FlagDeleted}})
	others := deleted(s, user)[0]
	c, inbox := open(t, s, user)
	uids := list(t, c)
	if len(uids) != 12 {
		t.Fatalf("UIDs = %v", uids)
	}

	t.Run("another UIDVALIDITY", func(t *testing.T) {
		for _, v := range []uint32{0, inbox.UIDValidity + 1} {
			if _, err := c.Move(t.Context(), v, uids, "Done"); !errors.Is(err, imapconn.ErrUIDValidity) {
				t.Errorf("Move: err = %v", err)
			}
			if _, err := c.Delete(t.Context(), v, uids, "Gone"); !errors.Is(err, imapconn.ErrUIDValidity) {
				t.Errorf("Delete: err = %v", err)
			}
		}
		equal(t, "listed", list(t, c), uids)
		if folders := s.Folders(user); len(folders) != 1 {
			t.Errorf("folders = %q", folders)
		}
	})
	t.Run("move", func(t *testing.T) {
		moved, err := c.Move(t.Context(), inbox.UIDValidity, append(uids[:5:5], 77777), "Done/2026")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "moved", moved, imapconn.Moved{Method: method, Count: 5, Destination: "Done/2026"})
		equal(t, "listed", list(t, c), uids[5:])
		equal(t, "in the destination", s.Count(user, "Done/2026"), 5)
		wantDeleted := []uint32{others}
		if method == imapconn.MethodCopyFlag {
			wantDeleted = append(slices.Clone(uids[:5]), others)
		}
		equal(t, "left, marked as deleted", deleted(s, user), wantDeleted)
	})
	t.Run("again", func(t *testing.T) {
		moved, err := c.Move(t.Context(), inbox.UIDValidity, uids[:5], "Done/2026")
		if err != nil || moved.Count != 0 {
			t.Errorf("moved = %+v, err = %v", moved, err)
		}
		equal(t, "in the destination", s.Count(user, "Done/2026"), 5)
	})
	t.Run("none", func(t *testing.T) {
		if moved, err := c.Move(t.Context(), inbox.UIDValidity, nil, "Done/2026"); err != nil || moved.Count != 0 {
			t.Errorf("moved = %+v, err = %v", moved, err)
		}
	})
	t.Run("delete", func(t *testing.T) {
		// The deleted folder is not empty: a leftover, and one that somebody marked.
		if err := c.EnsureFolder(t.Context(), "Gone"); err != nil {
			t.Fatal(err)
		}
		s.Append(user, "Gone", imaptest.Message(100, 500), imap.AppendOptions{})
		moved, err := c.Delete(t.Context(), inbox.UIDValidity, uids[5:8], "Gone")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "moved", moved, imapconn.Moved{Method: method, Count: 3, Destination: "Gone", Expunged: 3})
		equal(t, "listed", list(t, c), uids[8:])
		equal(t, "left in the deleted folder", s.Count(user, "Gone"), 1)
	})
	t.Run("delete beside somebody's deleted mail", func(t *testing.T) {
		s.Append(user, "Gone", imaptest.Message(101, 500), imap.AppendOptions{Flags: []imap.Flag{imap.FlagDeleted}})
		moved, err := c.Delete(t.Context(), inbox.UIDValidity, uids[8:10], "Gone")
		if err != nil {
			t.Fatal(err)
		}
		want, left := 2, 2
		if !uidplus {
			want, left = 0, 4 // a plain EXPUNGE would take the other one
		}
		equal(t, "expunged", moved.Expunged, want)
		equal(t, "left in the deleted folder", s.Count(user, "Gone"), left)
		equal(t, "listed", list(t, c), uids[10:])
	})
	t.Run("delete into a new folder", func(t *testing.T) {
		moved, err := c.Delete(t.Context(), inbox.UIDValidity, uids[10:11], "Gelöscht & weg")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "moved", moved, imapconn.Moved{Method: method, Count: 1, Destination: "Gelöscht & weg", Expunged: 1})
		equal(t, "left in the new folder", s.Count(user, "Gelöscht & weg"), 0)
	})
	t.Run("delete what is gone", func(t *testing.T) {
		moved, err := c.Delete(t.Context(), inbox.UIDValidity, uids[:10], "Gone")
		if err != nil || moved.Count != 0 || moved.Expunged != 0 {
			t.Errorf("moved = %+v, err = %v", moved, err)
		}
	})
	equal(t, "listed", list(t, c), uids[11:])
	if !slices.Contains(deleted(s, user), others) {
		t.Error("somebody else's deleted mail was expunged from the inbox")
	}
}

func deleted(s *imaptest.Server, user string) []uint32 {
	var uids []uint32
	for _, m := range s.Mails(user, "INBOX") {
		if slices.Contains(m.Flags, imap.FlagDeleted) {
			uids = append(uids, m.UID)
		}
	}
	return uids
}
