package message

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFilenamesAreRead(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]string{
		`attachment; filename=a.txt`:                                                  "a.txt",
		`attachment; filename="a b.txt"`:                                              "a b.txt",
		`attachment; filename=a b.txt; size=3`:                                        "a b.txt",
		`attachment; FileName = "a.txt"`:                                              "a.txt",
		`attachment; ; filename="a;b=c.txt"`:                                          "a;b=c.txt",
		`attachment; filename="a \"b\".txt"`:                                          "a _b_.txt",
		`attachment; filename="open.txt`:                                              "open.txt",
		`attachment; filename*=utf-8''%e2%82%ac.txt`:                                  "€.txt",
		`attachment; filename="plain.txt"; filename*=utf-8''%e2%82%ac.txt`:            "€.txt",
		`attachment; filename*=iso-8859-1'en'%A3.txt`:                                 "£.txt",
		`attachment; filename*=nonsense`:                                              "nonsense",
		`attachment; filename*0="a"; filename*1="b"; filename*2=".txt"`:               "ab.txt",
		`attachment; filename*2=".txt"; filename*0*=utf-8''%e2%82; filename*1*=%ac`:   "€.txt",
		`attachment; filename*1="b.txt"; filename*3="d"`:                              "b.txtd",
		`attachment; filename*0=a; filename*0=b; filename*1=.txt`:                     "a.txt",
		`attachment; filename="=?utf-8?B?4oKs?=.txt"`:                                 "€.txt",
		`attachment; filename="=?utf-8?Q?=E2=82?= =?utf-8?Q?=AC.txt?="`:               "€.txt",
		`attachment; filename=`:                                                       "part-1.bin",
		`attachment`:                                                                  "part-1.bin",
		`attachment; filename*99999999999999999999=x; filename*-1=y; filename=ok.txt`: "ok.txt",
		`attachment; filename="C:\Users\ada\scan.pdf"`:                                "scan.pdf",
		`attachment; filename="=?utf-8?Q?..=2F..=2Fetc=2Fpasswd?="`:                   "passwd",
		`attachment; filename*=utf-8''..%5c..%5cboot.ini`:                             "boot.ini",
		`attachment; filename=".."`:                                                   "part-1.bin",
		`attachment; filename="/"`:                                                    "part-1.bin",
		`attachment; filename=".htaccess"`:                                            "htaccess",
		`attachment; filename="a.txt. . "`:                                            "a.txt",
		`attachment; filename*=utf-8''a%00%0d%0ab.txt`:                                "a  b.txt",
		`attachment; filename="aux"`:                                                  "_aux",
		`attachment; filename="Com1.log"`:                                             "_Com1.log",
		`attachment; filename="lpt9"`:                                                 "_lpt9",
		`attachment; filename="common.txt"`:                                           "common.txt",
		`attachment; filename="a<b>:c|d?e*f.txt"`:                                     "a_b__c_d_e_f.txt",
		"attachment; filename=\"a\u202Egpj.exe\"":                                     "agpj.exe",
		"attachment; filename=\"a\u200B\uFEFF\u2066b.txt\"":                           "ab.txt",
		`attachment; filename="` + strings.Repeat("ä", 500) + `.docx"`:                strings.Repeat("ä", 97) + ".docx",
		`attachment; filename="x.` + strings.Repeat("y", 500) + `"`:                   "x." + strings.Repeat("y", 198),
	} {
		m := Parse([]byte("Content-Type: application/octet-stream\r\nContent-Disposition: "+field+"\r\n\r\nx"), DefaultLimits())
		if len(m.Attachments) != 1 || m.Attachments[0].Filename != want {
			t.Errorf("%s: %+v; want %q", field, m.Attachments, want)
		}
	}
}

func FuzzFilename(f *testing.F) {
	for _, s := range []string{"a.txt", "../../x", "CON", "com1.", "\u202Ea", strings.Repeat("ä", 300) + ".pdf", "a\xffb", " . "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, _ := safeFilename(s)
		switch {
		case !utf8.ValidString(name), len(name) > maxFilename+1, strings.ContainsAny(name, "/\\\x00\r\n:"), strings.HasPrefix(name, "."),
			strings.HasSuffix(name, "."), strings.HasSuffix(name, " "), reserved(name):
			t.Errorf("%q became %q", s, name)
		}
		if again, changed := safeFilename(name); again != name || changed {
			t.Errorf("%q became %q, and then %q", s, name, again)
		}
	})
}
