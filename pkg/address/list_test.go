package address

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestParseList(t *testing.T) {
	t.Parallel()
	one := func(name, local, domain string) []Address { return []Address{{name, local, domain}} }
	plain := func(addrs ...string) []Address {
		var as []Address
		for _, a := range addrs {
			local, domain, _ := strings.Cut(a, "@")
			as = append(as, Address{Local: local, Domain: domain})
		}
		return as
	}
	tests := []struct {
		name, in string
		want     []Address
	}{
		{"empty", "", nil},
		{"only separators", " , ;,;", nil},
		{"bare", "a@x.test", plain("a@x.test")},
		{"brackets", "<a@x.test>", plain("a@x.test")},
		{"name", "John Q. Public <jqp@x.test>", one("John Q. Public", "jqp", "x.test")},
		{"no blank before the bracket", "John<a@x.test>", one("John", "a", "x.test")},
		{"quoted name", `"Doe, John \"JD\"" <a@x.test>`, one(`Doe, John "JD"`, "a", "x.test")},
		{"single quotes", `'John Doe' <a@x.test>`, one("John Doe", "a", "x.test")},
		{"address in single quotes", `'a@x.test'`, plain("a@x.test")},
		{"address in single quotes and brackets", `'a@x.test' <'a@x.test'>`, one("a@x.test", "a", "x.test")},
		{"apostrophe", `o'brien@x.test`, plain("o'brien@x.test")},
		{"tag before a name", "[EXT] John <a@x.test>", one("[EXT] John", "a", "x.test")},
		{"several", "a@x.test, B <b@x.test>,c@x.test", []Address{{"", "a", "x.test"}, {"B", "b", "x.test"}, {"", "c", "x.test"}}},

		{"group", "Team: a@x.test, B <b@x.test>;, c@x.test", []Address{{"", "a", "x.test"}, {"B", "b", "x.test"}, {"", "c", "x.test"}}},
		{"empty group", "undisclosed-recipients:;", nil},
		{"group without end", "Team: a@x.test", plain("a@x.test")},
		{"group whose name is an address", "support@x.test: a@y.test;", plain("a@y.test")},
		{"mailto", "<mailto:a@x.test>, mailto:b@x.test", plain("a@x.test", "b@x.test")},

		{"comments", "a(one)@(two(three))x.test(four), (five) b@x.test", []Address{{"one", "a", "x.test"}, {"five", "b", "x.test"}}},
		{"comment as a name", "root@x.test (Cron Daemon)", one("Cron Daemon", "root", "x.test")},
		{"comment beside a name", "John (Sales) <a@x.test>", one("John", "a", "x.test")},
		{"escapes in a comment", `(a\) b@y.test) c@x.test`, one("a) b@y.test", "c", "x.test")},
		{"comment without end", "a@x.test (b@y.test, c@x.test", []Address{{"b@y.test", "a", "x.test"}, {"", "c", "x.test"}}},
		{"comment without end before brackets", "John (Sales <a@x.test>", one("John", "a", "x.test")},
		{"only a comment", "(a@x.test)", nil},
		{"only a comment without end", "(a@x.test", nil},

		{"quoted local part", `"john doe"@x.test`, one("", "john doe", "x.test")},
		{"escapes in a local part", `<"a\"b\\c@d"@x.test>`, one("", `a"b\c@d`, "x.test")},
		{"local part of words", `"a"."b".c@x.test`, one("", "a.b.c", "x.test")},
		{"RFC 5322 A.6.1", `Mary Smith <@node.test,@b:mary@example.net>, , jdoe@test  . example`, []Address{{"Mary Smith", "mary", "example.net"}, {"", "jdoe", "test.example"}}},
		{"RFC 5322 A.6.3", "John Doe <jdoe@machine(comment).  example>", one("John Doe", "jdoe", "machine.example")},
		{"RFC 5322 A.5", `Pete(A nice \) chap) <pete(his account)@silly.test(his host)>`, one("Pete", "pete", "silly.test")},
		{"route without an address", "<@a.test>", nil},
		{"route without a colon", "<@a.test, b@x.test>", plain("b@x.test")},

		{"closing bracket missing", "A <a@x.test, b@x.test", []Address{{"A", "a", "x.test"}, {"", "b", "x.test"}}},
		{"opening bracket missing", "John a@x.test>", one("John", "a", "x.test")},
		{"brackets missing", "John Doe a@x.test", one("John Doe", "a", "x.test")},
		{"brackets twice", "John <<a@x.test>>", one("John", "a", "x.test")},
		{"list in brackets", "<a@x.test, b@x.test; c@x.test>", plain("a@x.test", "b@x.test", "c@x.test")},
		{"addresses without commas before brackets", "a@x.test b@x.test <c@x.test>", one("a@x.test b@x.test", "c", "x.test")},
		{"commas missing between bare", "a@x.test b@x.test", plain("a@x.test", "b@x.test")},
		{"commas missing behind brackets", `A <a@x.test> "B" <b@x.test> c@x.test`, []Address{{"A", "a", "x.test"}, {"B", "b", "x.test"}, {"", "c", "x.test"}}},
		{"semicolons and dots", "a@x.test; Doe, B <b@x.test.>; c@x.test.;", []Address{{"", "a", "x.test"}, {"Doe, B", "b", "x.test"}, {"", "c", "x.test"}}},
		{"blanks around @", "a @ x.test", plain("a@x.test")},
		{"unquoted comma in a name", "Doe, John <a@x.test>", one("Doe, John", "a", "x.test")},
		{"word without @", "root, a@x.test, <MAILER-DAEMON>", plain("a@x.test")},
		{"pasted invisible characters", "\u200ba@x.test\u00a0", plain("a@x.test")},
		{"controls", "a@x.test\x00,\r\n\tb@x.test", plain("a@x.test", "b@x.test")},
		{"control in a local part", "\"a\x00b\"@x.test", plain("a\uFFFDb@x.test")},
		{"missing parts", "@x.test, a@, @, <@>, a@.", nil},
		{"quoted domain", `a@"x.test"`, nil},

		{"IPv4 literal", "a@[192.0.2.1]", plain("a@[192.0.2.1]")},
		{"IPv6 literal", "A <a@[IPv6:2001:db8::1]>, b@x.test", []Address{{"A", "a", "[IPv6:2001:db8::1]"}, {"", "b", "x.test"}}},
		{"literal without end", "a@[192.0.2.1, b@x.test", plain("a@[192.0.2.1", "b@x.test")},

		{"UTF-8", "Jörg <jörg@bücher.test>", one("Jörg", "jörg", "bücher.test")},
		{"not UTF-8", "J\xf6rg <a@x.test>", one("J\uFFFDrg", "a", "x.test")},
		{"encoded name", "=?utf-8?q?J=C3=B6rg?= <a@x.test>", one("Jörg", "a", "x.test")},
		{"encoded name with a comma", "=?utf-8?q?Doe,_J=C3=B6rg?= <a@x.test>", one("Doe, Jörg", "a", "x.test")},
		{"encoded name in quotes", `"=?iso-8859-1?Q?J=F6rg?=" <a@x.test>`, one("Jörg", "a", "x.test")},
		{"encoded line break in a name", "=?utf-8?q?a=0D=0Ab=00c?= <a@x.test>", one("a b c", "a", "x.test")},

		{"address as a quoted name", `"support@x.test" <evil@y.test>`, one("support@x.test", "evil", "y.test")},
		{"address as a name", `support@x.test <evil@y.test>`, one("support@x.test", "evil", "y.test")},
		{"address in brackets in a quoted name", `"<support@x.test>," <evil@y.test>`, one("<support@x.test>,", "evil", "y.test")},
		{"address in an open bracket", `<support@x.test <evil@y.test>`, one("", "evil", "y.test")},
		{"address before a closing bracket", `support@x.test evil@y.test>`, one("support@x.test", "evil", "y.test")},
		{"address in a comment", `(support@x.test) evil@y.test`, one("support@x.test", "evil", "y.test")},
		{"address as a whole quoted string", `"support@x.test", evil@y.test`, plain("evil@y.test")},
		{"address in an open quote", `"support@x.test <evil@y.test>`, one("support@x.test", "evil", "y.test")},
		{"address in an encoded word", `=?utf-8?q?support=40x.test?= <evil@y.test>`, one("support@x.test", "evil", "y.test")},
		{"encoded list", `=?utf-8?q?<support@x.test>,?= <evil@y.test>`, one("<support@x.test>,", "evil", "y.test")},
		{"two @", `support@x.test@y.test`, []Address{{"", "support@x.test", "y.test"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, ParseList(tt.in)); diff != "" {
				t.Errorf("ParseList(%q) (-want +got):\n%s", tt.in, diff)
			}
		})
	}
}

// hostile are values whose every part invites a parser to read to the end.
func hostile(n int) map[string]string {
	m := map[string]string{
		"recipients":  strings.Repeat(`"N, ame" <user+tag@example.test>, `, n/20),
		"long label":  "a@" + strings.Repeat("ü", n),
		"long domain": "a@" + strings.Repeat("ü.", n),
	}
	var distinct strings.Builder // what punycode is slowest with
	for i := range n {
		distinct.WriteRune(rune(0x4e00 + i%20_000))
	}
	m["long label of many characters"] = "a@" + distinct.String()
	for _, s := range []string{`"`, `"\`, `\"`, "(", "(,", "(<", "<", "@", "@[", "@[<", ",", ":", "a ", "a,", "a@b ", "=?", "=?a?q?", "=?a?q?x ", "=?a?q?x,", "<@", "<@,", "<<a@b", "a@b>", "'", ".", "(\"", "\"(", "(\\", "=?a?b?=?=", "\u200b", "ü@ü."} {
		m[s] = strings.Repeat(s, n)
	}
	return m
}

func TestParseListIsLinear(t *testing.T) {
	t.Parallel()
	for name, value := range hostile(100_000) {
		start := time.Now()
		for _, a := range ParseList(value) {
			a.Key()
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q repeated: %d bytes took %v", name, len(value), took)
		}
	}
}

func TestParseListTenThousandRecipients(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, "\"User, %d\" <u%d@example.test>, ", i, i)
	}
	got := ParseList(b.String())
	if len(got) != 10_000 {
		t.Fatalf("%d addresses, want 10000", len(got))
	}
	if want := (Address{"User, 9999", "u9999", "example.test"}); got[9999] != want {
		t.Errorf("last is %v, want %v", got[9999], want)
	}
}

func FuzzParseList(f *testing.F) {
	for _, s := range []string{
		`"support@x" <evil@y>`, `support@x <evil@y>`, "Team: a@x, B <b@x>;", `"a\"b"."c"@x (c(d))`,
		"<@a,@b:user@dom>", "a@x; b@x.;", "=?utf-8?q?Doe,_J=C3=B6rg?= <a@[IPv6:::1]>", "Jörg <jörg@bücher.test>",
		"'a@x'", `"open <a@x>, (open b@y`, "a@x@y", "a @ x . y", "\u200ba@x\u00a0", "a@b\\,c\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		list := ParseList(value)
		if n := strings.Count(value, "@"); len(list) > n {
			t.Fatalf("%d addresses of %d @", len(list), n)
		}
		for _, a := range list {
			if a.Local == "" || a.Domain == "" {
				t.Fatalf("%#v lacks a part", a)
			}
			for _, s := range []string{a.Name, a.Local, a.Domain, string(a.Key())} {
				if !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\r\n") {
					t.Fatalf("%q of %#v", s, a)
				}
			}
			again := ParseList(a.Addr())
			if len(again) != 1 || again[0].Key() != a.Key() {
				t.Fatalf("%#v reads again as %#v", a, again)
			}
		}
		if hidden := ParseList(quoteAlways(value) + " <evil@y.test>"); len(hidden) != 1 || hidden[0].Addr() != "evil@y.test" {
			t.Fatalf("as a display name it is read as %#v", hidden)
		}
	})
}

func quoteAlways(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func BenchmarkParseList(b *testing.B) {
	value := strings.Repeat(`"Doe, John" <john.doe@example.test>, Support <support@example.test>, `, 10)
	b.SetBytes(int64(len(value)))
	b.ReportAllocs()
	for b.Loop() {
		ParseList(value)
	}
}
