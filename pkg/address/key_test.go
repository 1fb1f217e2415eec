package address

import "testing"

func TestKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		same bool
	}{
		{"Support@Example.TEST", "support@example.test", true},
		{`"support"@x.test`, "support@x.test", true},
		{`"sup\port"@x.test`, "support@x.test", true},
		{`"a b"@x.test`, `"A B"@x.test`, true},
		{`"a b"@x.test`, "ab@x.test", false},
		{"a@x.test.", "a@x.test", true},
		{"a@BÜCHER.test", "a@xn--bcher-kva.test", true},
		{"a@bu\u0308cher.test", "a@XN--BCHER-KVA.test", true},
		{"a@bücher。test", "a@bücher.test", true},
		{"a@faß.test", "a@fass.test", false},
		{"JÖRG@x.test", "jo\u0308rg@x.test", true},
		{"ΝΙΚΟΣ@x.test", "νικος@x.test", true},
		{"straße@x.test", "strasse@x.test", false},
		{"İ@x.test", "i@x.test", false},
		{"ı@x.test", "i@x.test", false},
		{"support@exаmple.test", "support@example.test", false}, // Cyrillic а
		{"suppоrt@example.test", "support@example.test", false}, // Cyrillic о
		{"a@x_y.test", "a@X_Y.test", true},
		{"a@ü_y.test", "a@Ü_Y.test", true},
		{"a@xn--a.test", "a@XN--A.test", true},
		{"a@[IPv6:2001:DB8::1]", "a@[ipv6:2001:db8::1]", true},
		{"a.b@x.test", "ab@x.test", false},
		{"a@x.test", "a@sub.x.test", false},
	}
	for _, tt := range tests {
		a, b := single(t, tt.a).Key(), single(t, tt.b).Key()
		if (a == b) != tt.same {
			t.Errorf("%q has key %q, %q has key %q; same should be %v", tt.a, a, tt.b, b, tt.same)
		}
	}
}

func TestKeyWithoutTag(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"Support+x@x.test", "support@x.test"},
		{"support+a+b@x.test", "support@x.test"},
		{"support+@x.test", "support@x.test"},
		{"+support@x.test", ""},
		{"+support+x@x.test", "+support@x.test"},
		{`"a b+x"@x.test`, `"a b"@x.test`},
		{`"a.+x"@x.test`, `"a."@x.test`},
		{"support@x+y.test", ""},
	}
	for _, tt := range tests {
		got, ok := single(t, tt.in).KeyWithoutTag()
		if string(got) != tt.want || ok != (tt.want != "") {
			t.Errorf("KeyWithoutTag of %q = %q, %v; want %q", tt.in, got, ok, tt.want)
		}
	}
}

func single(t *testing.T, s string) Address {
	t.Helper()
	list := ParseList(s)
	if len(list) != 1 {
		t.Fatalf("ParseList(%q) = %#v, want one address", s, list)
	}
	return list[0]
}
