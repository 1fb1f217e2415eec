package charset_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/message/charset"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		octets, name, want string
		result             charset.Result
	}{
		{"abc", "", "abc", charset.Exact},
		{"abc", "US-ASCII", "abc", charset.Exact},
		{"abc", `"utf8"`, "abc", charset.Exact},
		{"ä", "UTF-8; format=flowed", "ä", charset.Exact},
		{"\xE4", "iso-8859-1", "ä", charset.Exact},
		{"\x80", "ISO_8859-1:1987", "€", charset.Exact},
		{"\x80", "latin1", "€", charset.Exact},
		{"\xA4", "ISO8859-15", "€", charset.Exact},
		{"\xE4", "Windows1252", "ä", charset.Exact},
		{"\xEF\xF0", "cp-1251", "пр", charset.Exact},
		{"\xEF\xF0", "win-1251", "пр", charset.Exact},
		{"\xE9", "ibm852", "Ú", charset.Exact},
		{"\x93\xFA\x96\x7B", "MS932", "日本", charset.Exact},
		{"\xB0\xA1", "ms949", "가", charset.Exact},
		{"+AOQ-", "utf-7", "ä", charset.Exact},
		{"\xE4", "", "ä", charset.Unknown},
		{"ä", "", "ä", charset.Unknown},
		{"\xE4", "x-nonsense", "ä", charset.Unknown},
		{"abc", "binary", "abc", charset.Unknown},
		{"ä", "default_charset", "ä", charset.Unknown},
		{"ä", "us-ascii", "ä", charset.Wrong},
		{"ä", "iso-8859-1", "ä", charset.Wrong},
		{"\xE4", "utf-8", "ä", charset.Wrong},
		{"äöü\xE4", "utf-8", "äöü\uFFFD", charset.Wrong},
		{"Привет мир", "koi8-r", "Привет мир", charset.Wrong},
		{"你好，世界", "gb2312", "你好，世界", charset.Wrong},
		{"日本", "iso-2022-jp", "日本", charset.Wrong},
		{"日本", "utf-7", "日本", charset.Wrong},
		{"plain text", "utf-16", "plain text", charset.Wrong},
		{"\xFF\xFF", "gbk", "\uFFFD\uFFFD", charset.Wrong},
	} {
		got, result := charset.Decode([]byte(c.octets), c.name)
		if got != c.want || result != c.result {
			t.Errorf("%q in %s: %q, %v; want %q, %v", c.octets, c.name, got, result, c.want, c.result)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want string
		clean    bool
	}{
		{"plain", "plain", true},
		{"=?utf-8?q?a=C3=A4_b?=", "aä b", true},
		{"=?UTF-8?B?w6Q=?= =?utf-8?b?w6Q=?=", "ää", true},
		{"=?utf-8?q?a?=\t =?iso-8859-1?q?=E4?= c", "aä c", true},
		{"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä", true},
		{"=?iso-2022-jp?B?GyRCRnwbKEI=?= =?iso-2022-jp?B?GyRCS1wbKEI=?=", "日本", true},
		{"=?utf-8*en?q?a?=", "a", true},
		{"x=?utf-8?q?a?=y", "xay", true},
		{`"=?utf-8?q?a?="`, `"a"`, true},
		{"=?utf-8?q?a b?=", "a b", true},
		{"=?utf-8?B?w6 Q?=", "ä", true},
		{"=?utf-8?B?w6Q?=", "ä", true},
		{"=?utf-8?q?100=zz?=", "100=zz", true},
		{"=?utf-8?q?a=0Ab=00?=", "a b ", true},
		{"=?nonsense?q?=E4?=", "ä", false},
		{"=?us-ascii?q?=E4?=", "ä", false},
		{"=?utf-8?q?cut off", "cut off", false},
		{"=?utf-8?q?one =?utf-8?q?two?=", "one two", false},
		{"a =? b ?= c", "a =? b ?= c", true},
		{"=?utf-8?x?a?=", "=?utf-8?x?a?=", true},
		{"=??q?a?=", "=??q?a?=", true},
		{"=?", "=?", true},
		{"=?utf-8?q", "=?utf-8?q", true},
		{"=?utf-8?q??= x", " x", true},
	} {
		if got, clean := charset.Words(c.in); got != c.want || clean != c.clean {
			t.Errorf("%q: %q, %v; want %q, %v", c.in, got, clean, c.want, c.clean)
		}
	}
}

func TestWordsKeepsUpWithFloods(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"=?", "=?a?q?", "=?a?q?x =?", "=?utf-8?q?=C3?= ", "?=", "=?a?b?!?="} {
		flood := strings.Repeat(s, 200_000)
		if got, _ := charset.Words(flood); len(got) > 3*len(flood) {
			t.Errorf("%q: %d bytes became %d", s, len(flood), len(got))
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"", "utf-8", "utf-7", "utf-16", "gb2312", "iso-2022-jp", "iso-2022-kr", "iso-2022-cn", "big5", "cp949", "cp932", "windows-1252", "x-unknown"} {
		f.Add([]byte("a+AOQ-\x1b$B\x0e\xE4\xF6"), name)
	}
	f.Fuzz(func(t *testing.T, b []byte, name string) {
		text, result := charset.Decode(b, name)
		if !utf8.ValidString(text) || len(text) > 12*len(b)+12 {
			t.Fatalf("%q in %q: %q", b, name, text)
		}
		if result == charset.Exact && strings.Contains(text, "\uFFFD") && !strings.Contains(string(b), "\uFFFD") {
			t.Fatalf("%q in %q: %q is called exact", b, name, text)
		}
	})
}

func FuzzWords(f *testing.F) {
	f.Add("=?utf-8?q?a=C3?= =?utf-8?b?pA==?= =?x?q?")
	f.Fuzz(func(t *testing.T, s string) {
		if text, _ := charset.Words(s); utf8.ValidString(s) && !utf8.ValidString(text) {
			t.Fatalf("%q: %q", s, text)
		}
	})
}
