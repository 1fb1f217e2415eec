package imapconn_test

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

func TestListings(t *testing.T) {
	for name, test := range map[string]struct {
		caps string
		line string
		want []uint32
		kind imapconn.Kind
	}{
		"none":              {line: "* SEARCH"},
		"trailing space":    {line: "* SEARCH 1 2 ", want: []uint32{1, 2}},
		"unsorted, doubled": {line: "* SEARCH 9 2 9 4000000000 3", want: []uint32{2, 3, 9, 4000000000}},
		"no answer":         {line: "* OK"},
		"ESEARCH":           {caps: "ESEARCH", line: `* ESEARCH (TAG "T2") UID ALL 1:3,9`, want: []uint32{1, 2, 3, 9}},
		"ESEARCH, none":     {caps: "ESEARCH", line: `* ESEARCH (TAG "T2") UID`},
		"endless range":     {caps: "ESEARCH", line: `* ESEARCH (TAG "T2") UID ALL 1:4294967295`, kind: imapconn.KindProtocol},
		"huge ranges":       {caps: "ESEARCH", line: `* ESEARCH (TAG "T2") UID ALL 1:3000000,3000002:6000000`, kind: imapconn.KindProtocol},
		"open range":        {caps: "ESEARCH", line: `* ESEARCH (TAG "T2") UID ALL 5:*`, kind: imapconn.KindProtocol},
		"garbage":           {line: "* SEARCH one two", kind: imapconn.KindProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := script(t, test.caps, imapconn.Options{}, imaptest.Rules{"UID SEARCH": answers(test.line)})
			uids, err := c.List(t.Context(), imapconn.ListOptions{})
			if test.kind != imapconn.KindOther {
				if imapconn.KindOf(err) != test.kind {
					t.Errorf("uids = %v, err = %v", len(uids), err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "listed", uids, test.want)
		})
	}
}

// A mail whose arrival nobody knows may be new: it is not left out for its age.
func TestMailWithoutAProperDateIsListed(t *testing.T) {
	searches := 0
	c, s := script(t, "", imapconn.Options{}, imaptest.Rules{
		"UID SEARCH": func(c *conn, tag, args string) {
			// Mail 5 is of the days that are no longer in doubt.
			found := "* SEARCH 1 2 3 4 5"
			if searches++; searches > 1 {
				found = "* SEARCH 5"
			}
			answers(found)(c, tag, args)
		},
		"UID FETCH": answers(
			`* 1 FETCH (UID 1 RFC822.SIZE 100 INTERNALDATE NIL)`,
			`* 2 FETCH (UID 2 RFC822.SIZE 100 INTERNALDATE "yesterday")`,
			`* 3 FETCH (UID 3 RFC822.SIZE 100 INTERNALDATE " 1-Mar-2026 10:00:00 +0000")`,
			`* 4 FETCH (UID 4 RFC822.SIZE 100)`,
		),
	})
	got, err := c.List(t.Context(), imapconn.ListOptions{Since: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "listed", got, []uint32{1, 2, 4, 5})
	// A server that compares what it does not know finds it neither SINCE nor BEFORE.
	for _, search := range s.Received("UID SEARCH") {
		if strings.Contains(search, " SINCE ") || !strings.Contains(search, "NOT (BEFORE ") && !strings.Contains(search, "NOT BEFORE ") {
			t.Errorf("sent %q", search)
		}
	}
}

func TestSizesOfOddServers(t *testing.T) {
	day := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		line string
		want []imapconn.MailInfo
	}{
		"plain":        {`* 1 FETCH (UID 1 RFC822.SIZE 100 INTERNALDATE " 2-Mar-2026 10:00:00 +0000")`, []imapconn.MailInfo{{1, 100, day}}},
		"size unknown": {`* 1 FETCH (UID 1 RFC822.SIZE -1 INTERNALDATE " 2-Mar-2026 10:00:00 +0000")`, []imapconn.MailInfo{{1, 0, day}}},
		"date NIL":     {`* 1 FETCH (UID 1 INTERNALDATE NIL RFC822.SIZE 100)`, []imapconn.MailInfo{{1, 100, time.Time{}}}},
		"date of mail": {`* 1 FETCH (UID 1 INTERNALDATE "Mon, 2 Mar 2026 10:00:00 +0000" RFC822.SIZE 100)`, []imapconn.MailInfo{{1, 100, day}}},
		"date garbage": {`* 1 FETCH (UID 1 INTERNALDATE "yesterday (" RFC822.SIZE 100)`, []imapconn.MailInfo{{1, 100, time.Time{}}}},
		"huge size":    {`* 1 FETCH (UID 1 RFC822.SIZE 99999999999999999999)`, []imapconn.MailInfo{{1, 0, time.Time{}}}},
		"another mail": {`* 9 FETCH (UID 9 RFC822.SIZE 100)`, nil},
		"nothing":      {`* 1 FETCH (UID 1)`, nil},
		"only flags":   {`* 1 FETCH (FLAGS (\Seen))`, nil},
		"split in two": {"* 1 FETCH (UID 1 FLAGS (x))\r\n* 1 FETCH (UID 1 RFC822.SIZE 100)", []imapconn.MailInfo{{1, 100, time.Time{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": answers(test.line)})
			got, err := c.Sizes(t.Context(), []uint32{1, 2})
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i].InternalDate.Equal(day) {
					got[i].InternalDate = day
				}
			}
			equal(t, "sizes", got, append([]imapconn.MailInfo{}, test.want...))
		})
	}
}

func TestSizesWithoutDatesWhereDatesKill(t *testing.T) {
	rules := imaptest.Rules{"UID FETCH": func(c *conn, tag, args string) {
		if strings.Contains(args, "INTERNALDATE") {
			c.Close()
			return
		}
		c.Send("* 1 FETCH (UID 1 RFC822.SIZE 100)")
		c.OK(tag)
	}}
	c, s := script(t, "", imapconn.Options{}, rules)
	for range 2 {
		got, err := c.Sizes(t.Context(), []uint32{1})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "sizes", got, []imapconn.MailInfo{{UID: 1, Size: 100}})
	}
	if n := len(s.Received("SELECT")); n != 2 {
		t.Errorf("selected %d times", n)
	}
	// The other folder that comes back is not mistaken for the same.
	validity := "7"
	c, _ = script(t, "", imapconn.Options{}, imaptest.Rules{
		"UID FETCH": rules["UID FETCH"],
		"SELECT":    func(c *conn, tag, _ string) { c.Send("* OK [UIDVALIDITY %s] x", validity); validity = "8"; c.OK(tag) },
	})
	if _, err := c.Sizes(t.Context(), []uint32{1}); !errors.Is(err, imapconn.ErrUIDValidity) {
		t.Errorf("err = %v", err)
	}
}

// Whoever wakes a connection while it is made anew is heard.
func TestAWakeOutlivesAConnectionThatIsMadeAnew(t *testing.T) {
	var c *imapconn.Conn
	c, _ = script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": func(sc *conn, tag, args string) {
		if strings.Contains(args, "INTERNALDATE") {
			c.Wake()
			sc.Close()
			return
		}
		sc.Send("* 1 FETCH (UID 1 RFC822.SIZE 100)")
		sc.OK(tag)
	}})
	if _, err := c.Sizes(t.Context(), []uint32{1}); err != nil {
		t.Fatal(err)
	}
	if changed, err := c.Wait(t.Context(), time.Second); !changed || err != nil {
		t.Errorf("waiting returned %v, %v; want to be woken", changed, err)
	}
}

// One mail must not keep all others of the mailbox back.
func TestOneMailWithoutASizeDoesNotKeepOthersBack(t *testing.T) {
	tell := func(c *conn, uid int) { c.Send("* %d FETCH (UID %d RFC822.SIZE 100)", uid, uid) }
	const bad, mails = 7, 40
	// asked returns the UIDs of a set such as 1:3,5.
	asked := func(args string) []int {
		var uids []int
		set, _, _ := strings.Cut(args, " ")
		for part := range strings.SplitSeq(set, ",") {
			first, last, isRange := strings.Cut(part, ":")
			from, _ := strconv.Atoi(first)
			to := from
			if isRange {
				to, _ = strconv.Atoi(last)
			}
			for uid := from; uid <= to; uid++ {
				uids = append(uids, uid)
			}
		}
		return uids
	}
	for name, fail := range map[string]func(c *conn, tag string, before []int){
		"refused": func(c *conn, tag string, _ []int) { c.Send("%s NO [SERVERBUG] internal error", tag) },
		"refused after some": func(c *conn, tag string, before []int) {
			for _, uid := range before {
				tell(c, uid)
			}
			c.Send("%s NO some messages could not be read", tag)
		},
		"connection ends":      func(c *conn, _ string, _ []int) { c.Close() },
		"cut in the line":      func(c *conn, _ string, _ []int) { c.Raw("* 7 FETCH (UID 7 "); c.Close() },
		"cannot be understood": func(c *conn, _ string, _ []int) { c.Raw("* 7 FETCH (UID 7 RFC822.SIZE {300000000}\r\n"); c.Hang() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": func(c *conn, tag, args string) {
				uids := asked(args)
				if i := slices.Index(uids, bad); i >= 0 {
					fail(c, tag, uids[:i])
					return
				}
				for _, uid := range uids {
					tell(c, uid)
				}
				c.OK(tag)
			}})
			var uids []uint32
			for uid := range uint32(mails) {
				uids = append(uids, uid+1)
			}
			got, err := c.Sizes(t.Context(), uids)
			if err != nil {
				t.Fatal(err)
			}
			slices.SortFunc(got, func(a, b imapconn.MailInfo) int { return int(a.UID) - int(b.UID) })
			var want []imapconn.MailInfo
			for _, uid := range uids {
				info := imapconn.MailInfo{UID: uid, Size: 100}
				if uid == bad {
					info.Size = 0
				}
				want = append(want, info)
			}
			equal(t, "sizes", got, want)
			equal(t, "the connection is good", list(t, c), []uint32{1, 2, 3})
		})
	}
}

// A server that refuses everything, or asks us to wait, is not asked mail by mail.
func TestServerThatTellsNoSizesAtAll(t *testing.T) {
	for name, test := range map[string]struct {
		rule func(c *conn, tag, args string)
		most int
	}{
		"refuses":   {func(c *conn, tag, _ string) { c.Send("%s NO no", tag) }, 300},
		"hangs up":  {func(c *conn, _, _ string) { c.Close() }, 40},
		"throttles": {func(c *conn, tag, _ string) { c.Send("%s NO [THROTTLED] later", tag) }, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": test.rule})
			var uids []uint32
			for uid := range uint32(1000) {
				uids = append(uids, uid+1)
			}
			_, err := c.Sizes(t.Context(), uids)
			if n := len(s.Received("UID FETCH")); err == nil || n > test.most {
				t.Errorf("asked %d times, err = %v", n, err)
			}
		})
	}
}

func TestHeadersOfOddServers(t *testing.T) {
	const header = "Subject: x\r\n\r\n"
	for name, test := range map[string]struct {
		line string
		want string
	}{
		"partial":           {"* 1 FETCH (UID 1 BODY[HEADER]<0> {14}\r\n" + header + ")", header},
		"partial not known": {"* 1 FETCH (UID 1 BODY[HEADER] {1014}\r\n" + header + strings.Repeat("x", 1000) + ")", header + strings.Repeat("x", 100-len(header))},
		"quoted":            {`* 1 FETCH (UID 1 BODY[HEADER]<0> "Subject: x")`, "Subject: x"},
		"none":              {"* 1 FETCH (UID 1 BODY[HEADER]<0> NIL)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": answers(test.line)})
			var got string
			missing, err := c.FetchHeaders(t.Context(), infos(1, 2), 100, func(_ imapconn.MailInfo, h []byte) error { got = string(h); return nil })
			if err != nil || got != test.want || len(missing) == 0 {
				t.Errorf("header = %q, missing = %v, err = %v", got, missing, err)
			}
			if n := c.Counters().BodyBytes; n != 0 {
				t.Errorf("%d bytes of bodies", n)
			}
			equal(t, "sent", s.Received("UID FETCH"), []string{"UID FETCH 1:2 (UID BODY.PEEK[HEADER]<0.100>)"})
		})
	}
	c, _ := script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": func(c *conn, _, _ string) { c.Raw("* 1 FETCH (UID 1 BODY[HEADER]<0> {100}\r\nSub"); c.Close() }})
	_, err := c.FetchHeaders(t.Context(), infos(1), 100, func(imapconn.MailInfo, []byte) error { t.Error("called"); return nil })
	if imapconn.KindOf(err) != imapconn.KindUnreachable || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("err = %v", err)
	}
	mine := errors.New("mine")
	c, _ = script(t, "", imapconn.Options{}, imaptest.Rules{"UID FETCH": answers("* 1 FETCH (UID 1 BODY[HEADER]<0> {1}\r\nx)", "* 2 FETCH (UID 2 BODY[HEADER]<0> {1}\r\nx)")})
	if _, err = c.FetchHeaders(t.Context(), infos(1, 2), 100, func(imapconn.MailInfo, []byte) error { return mine }); !errors.Is(err, mine) {
		t.Errorf("err = %v", err)
	}
	equal(t, "the connection is good", list(t, c), []uint32{1, 2, 3})
}
