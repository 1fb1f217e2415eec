package imapconn_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

// mutations returns what was sent that changes something.
func mutations(s *imaptest.Script) []string {
	var list []string
	for _, c := range s.Commands() {
		for _, prefix := range []string{"UID MOVE", "UID COPY", "UID STORE", "UID EXPUNGE", "EXPUNGE", "CLOSE", "CREATE", "SELECT"} {
			if strings.HasPrefix(c, prefix) {
				list = append(list, c)
			}
		}
	}
	return list[1:] // the first SELECT
}

// once answers the first time one way and then another.
func once(first, then func(*conn, string, string)) func(*conn, string, string) {
	n := 0
	return func(c *conn, tag, args string) {
		if n++; n == 1 {
			first(c, tag, args)
		} else {
			then(c, tag, args)
		}
	}
}

func refuses(text string) func(*conn, string, string) {
	return func(c *conn, tag, _ string) { c.Send("%s %s", tag, text) }
}

const store = ` +FLAGS.SILENT (\Deleted)`

func TestMoveByTheBook(t *testing.T) {
	ok := answers()
	for name, test := range map[string]struct {
		caps  string
		rules imaptest.Rules
		sent  []string
		moved imapconn.Moved
		kind  imapconn.Kind
		says  string
	}{
		"MOVE": {
			caps:  "MOVE UIDPLUS",
			rules: imaptest.Rules{"UID MOVE": answers("* OK [COPYUID 9 1:3 11:13] x", "* 1 EXPUNGE", "* 1 EXPUNGE", "* 1 EXPUNGE")},
			sent:  []string{`UID MOVE 1:3 "Done"`},
			moved: imapconn.Moved{Method: imapconn.MethodMove, Count: 3},
		},
		"MOVE in several parts": {
			caps:  "MOVE UIDPLUS",
			rules: imaptest.Rules{"UID MOVE": answers("* OK [COPYUID 9 1 11] x", "* OK [COPYUID 9 3 12] x")},
			sent:  []string{`UID MOVE 1:3 "Done"`},
			moved: imapconn.Moved{Method: imapconn.MethodMove, Count: 2},
		},
		"MOVE, odd COPYUID": {
			caps:  "MOVE UIDPLUS",
			rules: imaptest.Rules{"UID MOVE": answers("* [COPYUID 9 1:3 11] x", "* 1 EXPUNGE", "* 1 EXPUNGE")},
			sent:  []string{`UID MOVE 1:3 "Done"`},
			moved: imapconn.Moved{Method: imapconn.MethodMove, Count: 2},
		},
		"MOVE of what is gone": {
			caps:  "MOVE UIDPLUS",
			sent:  []string{`UID MOVE 1:3 "Done"`},
			moved: imapconn.Moved{Method: imapconn.MethodMove},
		},
		"MOVE to a folder that is not there": {
			caps:  "MOVE",
			rules: imaptest.Rules{"UID MOVE": once(refuses("NO [TRYCREATE] no such folder"), ok), "STATUS": refuses("NO [NONEXISTENT] no")},
			sent:  []string{`UID MOVE 1:3 "Done"`, `CREATE "Done"`, `UID MOVE 1:3 "Done"`},
			moved: imapconn.Moved{Method: imapconn.MethodMove},
		},
		"MOVE to a folder that is not there, no code": {
			caps:  "MOVE",
			rules: imaptest.Rules{"UID MOVE": once(refuses("NO Mailbox does not exist"), ok), "STATUS": refuses("NO no")},
			sent:  []string{`UID MOVE 1:3 "Done"`, `CREATE "Done"`, `UID MOVE 1:3 "Done"`},
			moved: imapconn.Moved{Method: imapconn.MethodMove},
		},
		"MOVE to a folder that cannot be made": {
			caps:  "MOVE",
			rules: imaptest.Rules{"UID MOVE": refuses("NO [TRYCREATE] no such folder"), "STATUS": refuses("NO no"), "CREATE": refuses("NO Permission denied")},
			sent:  []string{`UID MOVE 1:3 "Done"`, `CREATE "Done"`},
			kind:  imapconn.KindFolder, says: "no such folder",
		},
		"MOVE refused for good": {
			caps:  "MOVE",
			rules: imaptest.Rules{"UID MOVE": refuses("NO [NOPERM] not allowed")},
			sent:  []string{`UID MOVE 1:3 "Done"`},
			kind:  imapconn.KindFolder, says: "not allowed",
		},
		"MOVE throttled": {
			caps:  "MOVE",
			rules: imaptest.Rules{"UID MOVE": refuses("BAD Request is throttled. Suggested Backoff Time: 1000 milliseconds")},
			sent:  []string{`UID MOVE 1:3 "Done"`},
			kind:  imapconn.KindThrottled, says: "throttled",
		},
		"MOVE offered and not known": {
			caps:  "MOVE UIDPLUS",
			rules: imaptest.Rules{"UID MOVE": refuses("BAD Unknown command"), "UID COPY": func(c *conn, tag, _ string) { c.Send("%s OK [COPYUID 9 1:3 11:13] x", tag) }},
			sent:  []string{`UID MOVE 1:3 "Done"`, `UID COPY 1:3 "Done"`, `UID STORE 1:3` + store, `UID EXPUNGE 1:3`},
			moved: imapconn.Moved{Method: imapconn.MethodCopyExpunge, Count: 3},
		},
		"COPY of a part": {
			caps:  "UIDPLUS",
			rules: imaptest.Rules{"UID COPY": func(c *conn, tag, _ string) { c.Send("%s OK [COPYUID 9 1,3 11:12] x", tag) }},
			sent:  []string{`UID COPY 1:3 "Done"`, `UID STORE 1,3` + store, `UID EXPUNGE 1,3`},
			moved: imapconn.Moved{Method: imapconn.MethodCopyExpunge, Count: 2},
		},
		"COPY without COPYUID": {
			caps:  "UIDPLUS",
			rules: imaptest.Rules{"UID SEARCH": answers("* SEARCH 3 1")},
			sent:  []string{`UID COPY 1:3 "Done"`, `UID STORE 1,3` + store, `UID EXPUNGE 1,3`},
			moved: imapconn.Moved{Method: imapconn.MethodCopyExpunge, Count: 2},
		},
		"COPY of what is gone": {
			caps:  "UIDPLUS",
			rules: imaptest.Rules{"UID SEARCH": answers("* SEARCH")},
			sent:  []string{`UID COPY 1:3 "Done"`},
			moved: imapconn.Moved{Method: imapconn.MethodCopyExpunge},
		},
		"COPY into a full mailbox": {
			caps:  "UIDPLUS",
			rules: imaptest.Rules{"UID COPY": refuses("NO [OVERQUOTA] Quota exceeded")},
			sent:  []string{`UID COPY 1:3 "Done"`},
			kind:  imapconn.KindFolder, says: "free some space",
		},
		"COPY to a folder that is not there": {
			caps:  "UIDPLUS",
			rules: imaptest.Rules{"UID COPY": once(refuses("NO [TRYCREATE] no such folder"), ok), "STATUS": refuses("NO no")},
			sent:  []string{`UID COPY 1:3 "Done"`, `CREATE "Done"`, `UID COPY 1:3 "Done"`, `UID STORE 1:3` + store, `UID EXPUNGE 1:3`},
			moved: imapconn.Moved{Method: imapconn.MethodCopyExpunge, Count: 3},
		},
		"COPY fails twice": {
			caps:  "UIDPLUS",
			rules: imaptest.Rules{"UID COPY": refuses("NO [TRYCREATE] no such folder"), "STATUS": refuses("NO no")},
			sent:  []string{`UID COPY 1:3 "Done"`, `CREATE "Done"`, `UID COPY 1:3 "Done"`},
			kind:  imapconn.KindFolder, says: "no such folder",
		},
		"STORE fails": {
			caps:  "UIDPLUS",
			rules: imaptest.Rules{"UID STORE": refuses("NO [SERVERBUG] no")},
			sent:  []string{`UID COPY 1:3 "Done"`, `UID STORE 1:3` + store},
			kind:  imapconn.KindFolder,
		},
		"neither": {
			rules: imaptest.Rules{"UID SEARCH": answers("* SEARCH 1 3")}, // 2 is marked already
			sent:  []string{`UID COPY 1,3 "Done"`, `UID STORE 1,3` + store},
			moved: imapconn.Moved{Method: imapconn.MethodCopyFlag, Count: 2},
		},
		"neither, all marked already": {
			rules: imaptest.Rules{"UID SEARCH": answers("* SEARCH")},
			moved: imapconn.Moved{Method: imapconn.MethodCopyFlag},
		},
		"connection lost": {
			caps:  "MOVE",
			rules: imaptest.Rules{"UID MOVE": func(c *conn, _, _ string) { c.Close() }},
			sent:  []string{`UID MOVE 1:3 "Done"`},
			kind:  imapconn.KindUnreachable,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := script(t, test.caps, imapconn.Options{}, test.rules)
			moved, err := c.Move(t.Context(), 7, []uint32{3, 2, 1, 2}, "Done")
			if test.kind == imapconn.KindOther {
				test.moved.Destination = "Done"
				equal(t, "moved", moved, test.moved)
				if err != nil {
					t.Error(err)
				}
			} else if imapconn.KindOf(err) != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("kind = %v, want %v with %q: %v", imapconn.KindOf(err), test.kind, test.says, err)
			}
			equal(t, "sent", mutations(s), slices.Clip(append([]string{}, test.sent...)))
		})
	}
}

func TestMoveInParts(t *testing.T) {
	c, s := script(t, "MOVE", imapconn.Options{}, nil)
	var uids []uint32
	for uid := uint32(1); uid <= 1200; uid++ {
		uids = append(uids, 1_000_000_000+uid*2)
	}
	if _, err := c.Move(t.Context(), 7, uids, "Done"); err != nil {
		t.Fatal(err)
	}
	got := s.Received("UID MOVE")
	n := 0
	for _, command := range got {
		n += strings.Count(command, ",") + 1
		if len(command) > 8100 {
			t.Errorf("a command of %d bytes", len(command))
		}
	}
	if n != 1200 || len(got) < 3 {
		t.Errorf("%d UIDs in %d commands", n, len(got))
	}
}

// The fence holds in the middle, too.
func TestUIDValidityChangesMeanwhile(t *testing.T) {
	c, s := script(t, "MOVE", imapconn.Options{}, imaptest.Rules{"UID MOVE": answers("* OK [UIDVALIDITY 8] new")})
	var uids []uint32
	for uid := uint32(1); uid <= 600; uid++ {
		uids = append(uids, uid)
	}
	if _, err := c.Move(t.Context(), 7, uids, "Done"); !errors.Is(err, imapconn.ErrUIDValidity) {
		t.Errorf("err = %v", err)
	}
	if got := s.Received("UID MOVE"); len(got) != 1 {
		t.Errorf("sent %q", got)
	}
}

func TestNoUIDValidityNoMail(t *testing.T) {
	for _, line := range []string{"* OK x", "* OK [UIDVALIDITY 0] x", "* OK [UIDVALIDITY 99999999999] x"} {
		s := imaptest.NewScript(t, "", nil, imaptest.Rules{"SELECT": answers("* 3 EXISTS", line)})
		c := dial(t, s.Target(), imapconn.Options{})
		if _, err := c.Select(t.Context(), "INBOX"); imapconn.KindOf(err) != imapconn.KindProtocol {
			t.Errorf("%s: err = %v", line, err)
		}
		if _, err := c.Move(t.Context(), 0, []uint32{1}, "Done"); !errors.Is(err, imapconn.ErrUIDValidity) {
			t.Errorf("%s: err = %v", line, err)
		}
	}
	s := imaptest.NewScript(t, "", nil, imaptest.Rules{"SELECT": answers("* 3 EXISTS", "* ok [uidvalidity 5] x")})
	c := dial(t, s.Target(), imapconn.Options{})
	if inbox, err := c.Select(t.Context(), "INBOX"); err != nil || inbox.UIDValidity != 5 || inbox.UIDNext != 4 {
		t.Errorf("inbox = %+v, err = %v", inbox, err)
	}
}

func TestDeleteByTheBook(t *testing.T) {
	// selects tells the folders apart by their UIDVALIDITY.
	selects := func(c *conn, tag, args string) {
		v := 7
		if args != "INBOX" {
			v = 9
		}
		c.Send("* OK [UIDVALIDITY %d] x", v)
		c.Send("* OK [UIDNEXT 20] x")
		c.OK(tag)
	}
	inbox := func(then ...string) []string { return append(then, "SELECT INBOX") }
	moves := answers("* OK [COPYUID 9 1:2 11:12] x", "* 1 EXPUNGE", "* 1 EXPUNGE")
	plain := answers("* 1 EXPUNGE", "* 1 EXPUNGE")
	for name, test := range map[string]struct {
		caps     string
		rules    imaptest.Rules
		sent     []string
		expunged int
		dest     string
	}{
		"told": {
			caps: "MOVE UIDPLUS", rules: imaptest.Rules{"UID MOVE": moves}, expunged: 2,
			sent: inbox(`UID MOVE 1:2 "Gone"`, `SELECT "Gone"`, "UID STORE 11:12"+store, "UID EXPUNGE 11:12"),
		},
		"told of another folder": {
			caps: "MOVE UIDPLUS", rules: imaptest.Rules{"UID MOVE": answers("* OK [COPYUID 10 1:2 11:12] x", "* 1 EXPUNGE"), "UID SEARCH": answers("* SEARCH 1")},
			sent: inbox(`UID MOVE 1:2 "Gone"`, `SELECT "Gone"`),
		},
		"not told, as many as moved": {
			caps: "MOVE", rules: imaptest.Rules{"UID MOVE": plain, "UID SEARCH": answers("* SEARCH 5 6"), "STATUS": answers(`* STATUS "Gone" (UIDNEXT 5 UIDVALIDITY 9)`)}, expunged: 2,
			sent: inbox(`UID MOVE 1:2 "Gone"`, `SELECT "Gone"`, "UID STORE 5:6"+store, "EXPUNGE"),
		},
		"not told, more than moved": {
			caps: "MOVE", rules: imaptest.Rules{"UID MOVE": plain, "UID SEARCH": answers("* SEARCH 5 6 7"), "STATUS": answers(`* STATUS "Gone" (UIDNEXT 5 UIDVALIDITY 9)`)},
			sent: inbox(`UID MOVE 1:2 "Gone"`, `SELECT "Gone"`),
		},
		"not told, the folder is another": {
			caps: "MOVE", rules: imaptest.Rules{"UID MOVE": plain, "UID SEARCH": answers("* SEARCH 5 6"), "STATUS": answers(`* STATUS "Gone" (UIDNEXT 5 UIDVALIDITY 8)`)},
			sent: inbox(`UID MOVE 1:2 "Gone"`, `SELECT "Gone"`),
		},
		"not told, somebody's are marked": {
			caps: "MOVE", rules: imaptest.Rules{"UID MOVE": plain, "STATUS": answers(`* STATUS "Gone" (UIDNEXT 5 UIDVALIDITY 9)`), "UID SEARCH": func(c *conn, tag, args string) {
				if strings.Contains(args, "UNDELETED") || !strings.Contains(args, "DELETED") {
					c.Send("* SEARCH 5 6")
				} else {
					c.Send("* SEARCH 2 5 6")
				}
				c.OK(tag)
			}},
			sent: inbox(`UID MOVE 1:2 "Gone"`, `SELECT "Gone"`, "UID STORE 5:6"+store),
		},
		"Gmail": {
			caps: "MOVE UIDPLUS X-GM-EXT-1", expunged: 2, dest: "[Gmail]/Papierkorb",
			rules: imaptest.Rules{"UID MOVE": moves, "LIST": answers(`* LIST (\HasNoChildren) "/" "INBOX"`, `* LIST (\HasNoChildren \Trash) "/" "[Gmail]/Papierkorb"`)},
			sent:  inbox(`UID MOVE 1:2 "[Gmail]/Papierkorb"`, `SELECT "[Gmail]/Papierkorb"`, "UID STORE 11:12"+store, "UID EXPUNGE 11:12"),
		},
		"gone already": {caps: "MOVE UIDPLUS", sent: []string{`UID MOVE 1:2 "Gone"`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.rules = maps(test.rules, "SELECT", selects)
			c, s := script(t, test.caps, imapconn.Options{}, test.rules)
			moved, err := c.Delete(t.Context(), 7, []uint32{1, 2}, "Gone")
			if err != nil {
				t.Fatal(err)
			}
			if test.dest == "" {
				test.dest = "Gone"
			}
			if moved.Expunged != test.expunged || moved.Destination != test.dest {
				t.Errorf("moved = %+v", moved)
			}
			equal(t, "sent", mutations(s), test.sent)
			if _, err := c.Move(t.Context(), 7, nil, "Done"); err != nil {
				t.Errorf("the inbox is not selected again: %v", err)
			}
		})
	}
}

func maps(r imaptest.Rules, name string, rule func(*conn, string, string)) imaptest.Rules {
	if r == nil {
		r = make(imaptest.Rules)
	}
	r[name] = rule
	return r
}

// The repetition finds nothing to move; what the first call brought to the
// deleted folder stays there, and nothing of others is expunged.
func TestDeletionCutBeforeTheExpungeIsRepeated(t *testing.T) {
	left := "1 2"
	var sent []string
	for n := range 2 {
		c, s := script(t, "MOVE UIDPLUS", imapconn.Options{}, imaptest.Rules{
			"UID SEARCH": func(c *conn, tag, args string) { answers("* SEARCH "+left)(c, tag, args) },
			"UID MOVE": func(c *conn, tag, args string) {
				if left != "" {
					c.Send("* OK [COPYUID 9 1:2 11:12] x")
				}
				left = ""
				c.OK(tag)
			},
			"SELECT": func(c *conn, tag, args string) {
				if args == `"Gone"` {
					c.Close()
					return
				}
				c.Answer("SELECT", tag, args)
			},
		})
		moved, err := c.Delete(t.Context(), 7, []uint32{1, 2}, "Gone")
		if lost := imapconn.KindOf(err) == imapconn.KindUnreachable; lost != (n == 0) || n == 1 && (err != nil || moved.Count != 0 || moved.Expunged != 0) {
			t.Errorf("call %d: moved %+v, err = %v", n+1, moved, err)
		}
		sent = append(sent, s.Received("UID EXPUNGE")...)
	}
	if len(sent) != 0 {
		t.Errorf("sent %q", sent)
	}
}
