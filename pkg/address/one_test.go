package address

import (
	"strings"
	"testing"
)

func TestParseOne(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	tests := []struct{ in, local, domain string }{
		{"support@example.test", "support", "example.test"},
		{"Support+Tag.x@EXAMPLE.test", "Support+Tag.x", "EXAMPLE.test"},
		{"root@localhost", "root", "localhost"},
		{"o'brien!#$%&*/=?^_`{|}~@x.test", "o'brien!#$%&*/=?^_`{|}~", "x.test"},
		{`"john doe"@x.test`, "john doe", "x.test"},
		{`"a\"@\\b"@x.test`, `a"@\b`, "x.test"},
		{"jörg@bücher.test", "jörg", "bücher.test"},
		{"a@xn--bcher-kva.test", "a", "xn--bcher-kva.test"},
		{"a@[192.0.2.1]", "a", "[192.0.2.1]"},
		{"a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]"},
		{long + "@x.test", long, "x.test"},
	}
	for _, tt := range tests {
		got, err := ParseOne(tt.in)
		if want := (Address{Local: tt.local, Domain: tt.domain}); err != nil || got != want {
			t.Errorf("ParseOne(%q) = %#v, %v; want %#v", tt.in, got, err, want)
		}
	}
}

func TestParseOneSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	label := strings.Repeat("a", 60) + "."
	tests := []struct{ in, want string }{
		{"", "is empty"},
		{"support", "has no @"},
		{"@x.test", "nothing stands before the @"},
		{`""@x.test`, "nothing stands before the @"},
		{"support@", "nothing stands behind the @"},
		{" a@x.test", "white space"},
		{"a@x.test\n", "white space"},
		{"Support <a@x.test>", "without a name"},
		{"a@x.test, b@x.test", "more than one @"},
		{"a@b@x.test", "more than one @"},
		{"a b@x.test", `' '`},
		{"a(b)@x.test", `'('`},
		{".a@x.test", "a dot"},
		{"a..b@x.test", "a dot"},
		{`"a@x.test`, "not closed"},
		{`"a"b@x.test`, "not followed by an @"},
		{"\"a\\é\"@x.test", "before an ASCII character"},
		{"a\u200b@x.test", "U+200B"},
		{"a\x00b@x.test", "U+0000"},
		{"a\xff@x.test", "not valid UTF-8"},
		{"a@x.test.", "ends with a dot"},
		{"a@x..test", "is not a domain name"},
		{"a@-x.test", "is not a domain name"},
		{"a@x_y.test", "is not a domain name"},
		{"a@x test", "is not a domain name"},
		{"a@xn--a.test", "is not a domain name"},
		{"a@" + strings.Repeat("a", 64) + ".test", "is not a domain name"},
		{"a@192.0.2.1", "in brackets"},
		{"a@[192.0.2.1", "not closed"},
		{"a@[2001:db8::1]", "not an IP address"},
		{"a@[IPv6:fe80::1%eth0]", "not an IP address"},
		{"a@[example.test]", "not an IP address"},
		{strings.Repeat("a", 65) + "@x.test", "has 65 octets"},
		{strings.Repeat("ä", 33) + "@x.test", "has 66 octets"},
		{strings.Repeat("a", 60) + "@" + label + label + label + "example.test", "at most 254"},
		{"a@" + strings.Repeat("a.", 300) + "test", "at most 253"},
	}
	for _, tt := range tests {
		got, err := ParseOne(tt.in)
		if err == nil {
			t.Errorf("ParseOne(%q) = %#v, want an error with %q", tt.in, got, tt.want)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("ParseOne(%q): %q, want it to contain %q", tt.in, err, tt.want)
		}
	}
}

// What configuration takes, a mail must be able to say, with the same key.
func FuzzParseOne(f *testing.F) {
	for _, s := range []string{"support@example.test", `"a\"@\\b"@x.test`, "jörg@bücher.test", "a@[IPv6:::1]", "a@xn--a", "o'x@y", "'a@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		one, err := ParseOne(s)
		if err != nil {
			if one != (Address{}) {
				t.Fatalf("%#v with error %v", one, err)
			}
			return
		}
		for _, spelling := range []string{s, one.Addr()} {
			list := ParseList(spelling)
			if len(list) != 1 || list[0].Key() != one.Key() {
				t.Fatalf("ParseOne(%q) = %#v, ParseList(%q) = %#v", s, one, spelling, list)
			}
		}
	})
}
