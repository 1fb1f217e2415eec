package imapconn

import (
	"io"
	"strings"
	"testing"
	"time"
)

// Everything that reads a server's text, at once.
func FuzzServerText(f *testing.F) {
	for _, s := range []string{
		"Request is throttled. Suggested Backoff Time: 89117 milliseconds", `NAMESPACE (("INBOX." ".")) NIL NIL`,
		`LIST (\Noselect) "/" ""`, `* LIST () "/" "&AOk-"`, `* LIST () NIL a&b`, "9 1:3,7 11:14", "9 1:4294967295 1:4294967295", "OK [COPYUID 1 2 3] x", "\x1b[2Jtext\x00\u202e", `NAMESPACE (("\"" NIL))`,
		"BYE [UNAVAILABLE] x", "CAPABILITY IMAP4rev1", "[x", "{5}", "{99999999999999999999}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if c, ok := parseCopyUID(s); ok && (len(c.source) != len(c.dest) || len(c.source) == 0 || len(c.source) > 100_000) {
			t.Errorf("copied %d, became %d", len(c.source), len(c.dest))
		}
		if ns, ok := parseNamespace(s); ok {
			ns.display(ns.folder("A/B"))
		}
		listable([]byte(s))
		parseListDelim(s)
		if n := literalSize([]byte(s)); n < -1 {
			t.Errorf("literal of %d", n)
		}
		code, args, text := splitCode([]byte(s))
		if strings.ContainsAny(code, " ]\r\n") || len(code)+len(args)+len(text) > len(s) {
			t.Errorf("code = %q, args = %q, text = %q", code, args, text)
		}
		d := dialogue{}
		d.learn(parseStatus(s))
		d.learn(answer{untagged: []string{s}})
	})
}

// A rewritten FETCH line announces the same literal, as the last thing in it.
func FuzzFetchLine(f *testing.F) {
	for _, s := range []string{
		`(UID 1 FLAGS (\Seen ) BODY[] {5}`, `(BODY[HEADER.FIELDS (A B)]<0> "x\"y" UID 2)`, `(INTERNALDATE " 2-Mar-2026 10:00:00 +0000" RFC822.SIZE 5)`,
		`((((`, `))`, `("`, `(BODY[`, `(BODY[]<0`, `(UID`, `() {3}`, ` UID 5 )`, `(X (a "b)" c) UID 9 BODY[] NIL)`,
	} {
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, first bool) {
		for _, c := range text {
			if c == '\n' {
				return // lines have none
			}
		}
		fl := filter{maxLiteral: 1000}
		fl.fetch = fetchState{open: true, seq: []byte("1"), begun: !first}
		out, literal, err := fl.fetchItems(text)
		if err != nil || out == nil {
			return
		}
		line := strings.TrimSuffix(string(out), "\r\n")
		if literal != literalSize([]byte(line)) || literal < 0 && !strings.HasSuffix(line, ")") || strings.ContainsAny(line, "\n") {
			t.Errorf("%q becomes %q with a literal of %d", text, out, literal)
		}
	})
}

func TestBodyReaderTakesNoLess(t *testing.T) {
	for said, want := range map[int64]error{4: nil, 5: io.ErrUnexpectedEOF} {
		r := &bodyReader{literal: strings.NewReader("mail"), left: said}
		if raw, err := io.ReadAll(r); err != want || string(raw) != "mail" {
			t.Errorf("%d bytes announced: %q, %v", said, raw, err)
		}
	}
}

func TestChunks(t *testing.T) {
	var sparse, dense []uint32
	for i := range uint32(5000) {
		sparse = append(sparse, 4_000_000_000+2*i)
		dense = append(dense, i+1)
	}
	for name, uids := range map[string][]uint32{"sparse": sparse, "dense": dense, "none": nil} {
		for _, n := range []int{1, 500, 100_000} {
			var all []uint32
			for _, part := range chunks(uids, n) {
				set := uidSet(part).String()
				if len(part) > n || len(set) > maxSetBytes || len(part) == 0 {
					t.Errorf("%s: a part of %d UIDs, %d bytes", name, len(part), len(set))
				}
				all = append(all, part...)
			}
			if len(all) != len(uids) {
				t.Errorf("%s: %d UIDs, want %d", name, len(all), len(uids))
			}
		}
	}
	if n := len(chunks(dense, 100_000)); n != 1 {
		t.Errorf("a single range in %d parts", n)
	}
}

// The whole beginning of a connection, against anything.
func FuzzDialogue(f *testing.F) {
	for _, s := range []string{
		"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR ID NAMESPACE] x\r\nM1 OK [CAPABILITY IMAP4rev1] x\r\nM2 OK x\r\n* LIST () \".\" \"\"\r\nM3 OK x\r\n",
		"* OK\r\n* CAPABILITY IMAP4rev1\r\nM1 OK\r\n+ \r\nM2 NO [AUTHENTICATIONFAILED] x\r\n",
		"* BYE {5}\r\n", "* OK {5}\r\nhello\r\n", "* ID ({3}\r\na\"b {1}\r\nx)\r\n", "* PREAUTH x\n", "+ \r\n+ \r\n+ ",
		"* OK x\r\n* NAMESPACE (({2}\r\nA. \".\")) NIL NIL\r\nM1 OK\r\n",
	} {
		f.Add([]byte(s), []byte{3, 40})
	}
	f.Fuzz(func(t *testing.T, said, sizes []byte) {
		d := newDialogue(&chopped{rest: said, sizes: sizes}, time.Second)
		if _, err := d.greeting(); err != nil {
			return
		}
		if d.needCaps() != nil {
			return
		}
		if _, err := d.login("user", "pass-word"); err != nil || d.needCaps() != nil || d.introduce() != nil {
			return
		}
		ns, _, err := d.readNamespace()
		if err == nil && ns.folder("INBOX") != "INBOX" {
			t.Errorf("inbox is %q in %+v", ns.folder("INBOX"), ns)
		}
	})
}
