package address

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestDecodeWords(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"none", "plain = ? text", "plain = ? text"},
		{"Q", "=?UTF-8?Q?J=C3=B6rg_M?=", "Jörg M"},
		{"B", "=?utf-8?b?SsO2cmc=?=", "Jörg"},
		{"B without padding", "=?utf-8?B?SsO2cmc?=", "Jörg"},
		{"B with padding inside", "=?utf-8?B?YQ==Yg==?=", "ab"},
		{"between text", "a =?utf-8?q?b?= c", "a b c"},
		{"glued to text", "a=?utf-8?q?b?=c", "abc"},
		{"blanks between words go", "=?utf-8?q?a?= \r\n =?utf-8?q?b?=", "ab"},
		{"character split over words", "=?utf-8?q?J=C3?= =?UTF-8?q?=B6rg?=", "Jörg"},
		{"two charsets", "=?utf-8?q?=C3=B6?= =?iso-8859-1?q?=F6?=", "öö"},
		{"language", "=?utf-8*de?q?=C3=B6?=", "ö"},
		{"blanks in a word", "=?utf-8?Q?John Doe?=", "John Doe"},
		{"broken hexadecimal", "=?utf-8?q?100=_%=G1=?=", "100= %=G1="},
		{"text begins with =", "=?utf-8?q?=41?=", "A"},
		{"no end", "=?utf-8?q?abc", "=?utf-8?q?abc"},
		{"unknown encoding", "=?utf-8?x?abc?=", "=?utf-8?x?abc?="},
		{"no charset", "=??q?abc?=", "=??q?abc?="},
		{"not decoded twice", "=?utf-8?q?=3D=3Futf-8=3Fq=3Fa=3F=3D?=", "=?utf-8?q?a?="},
		{"windows-1252 as ISO-8859-1", "=?iso-8859-1?q?=93a=94_=80?=", "“a” €"},
		{"GBK as GB2312", "=?gb2312?B?6EY=?=", "鐵"},
		{"Japanese", "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "日本"},
		{"Shift_JIS", "=?shift_jis?q?=93=FA=96=7B?=", "日本"},
		{"Korean", "=?ks_c_5601-1987?B?x9G9xA==?=", "한식"},
		{"Cyrillic", "=?koi8-r?q?=F0=D2=C9?=", "При"},
		{"unknown charset", "=?x-none?q?caf=E9?=", "café"},
		{"unknown charset of UTF-8", "=?x-none?q?caf=C3=A9?=", "café"},
		{"Latin-1 as UTF-8", "=?utf-8?q?caf=E9?=", "café"},
		{"Latin-1 as ASCII", "=?us-ascii?q?caf=E9?=", "café"},
		{"UTF-8 cut short", "=?utf-8?q?caf=C3=A9=C3?=", "café\uFFFD"},
		{"replacement charset", "=?iso-2022-kr?q?abc?=", "abc"},
		{"not UTF-8", "a\xffb", "a\uFFFDb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := DecodeWords(tt.in); got != tt.want {
				t.Errorf("DecodeWords(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestDecodeWordsIsLinear(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"=?", "=?a", "=?a?q?", "=?a?q?x", "=?a?q??=", "=?a?b?Y?= ", "=?" + strings.Repeat("a", 70), "=?utf-8?q?=C3?="} {
		value := strings.Repeat(part, 200_000)
		start := time.Now()
		DecodeWords(value)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q repeated: %d bytes took %v", part, len(value), took)
		}
	}
}

func FuzzDecodeWords(f *testing.F) {
	for _, s := range []string{"=?utf-8?q?J=C3=B6rg?=", "=?gb2312?B?6EY=?= =?x?q?a?=", "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "=?hz-gb-2312?q?~{VP~}?=", "=?utf-16?q?=FE=FF?="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := DecodeWords(s); !utf8.ValidString(got) {
			t.Fatalf("DecodeWords(%q) = %q, which is not UTF-8", s, got)
		}
	})
}
