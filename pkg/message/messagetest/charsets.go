package messagetest

import (
	"encoding/base64"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// charsets returns a mail in each charset, named as mail programs name it, with
// the subject in encoded words and the text in base64.
func charsets(to string) []Sample {
	var all []Sample
	for _, c := range []struct {
		label string
		in    encoding.Encoding
		text  string
	}{
		{"utf-8", unicode.UTF8, "Grüße, Привет, 你好 👋"},
		{"us-ascii", unicode.UTF8, "Plain old ASCII"},
		{"iso-8859-1", charmap.Windows1252, "Für 5 € – “so”"}, // what is called Latin-1 is windows-1252
		{"iso-8859-2", charmap.ISO8859_2, "Zażółć gęślą jaźń"},
		{"iso-8859-7", charmap.ISO8859_7, "Καλημέρα κόσμε"},
		{"iso-8859-15", charmap.ISO8859_15, "Œuvre à 5 €"},
		{"windows-1251", charmap.Windows1251, "Съешь ещё этих булок"},
		{"cp1252", charmap.Windows1252, "Déjà vu…"},
		{"windows-1255", charmap.Windows1255, "שלום עולם"},
		{"windows-1256", charmap.Windows1256, "مرحبا بالعالم"},
		{"koi8-r", charmap.KOI8R, "Широкая электрификация"},
		{"gb2312", simplifiedchinese.GBK, "朱镕基说：你好"}, // 镕 is in GBK only
		{"gb18030", simplifiedchinese.GB18030, "你好，世界"},
		{"big5", traditionalchinese.Big5, "您好，世界"},
		{"ks_c_5601-1987", korean.EUCKR, "똠방각하 안녕하세요"}, // 똠 is in the Microsoft extension only
		{"cp949", korean.EUCKR, "안녕하세요"},
		{"shift_jis", japanese.ShiftJIS, "こんにちは世界"},
		{"cp932", japanese.ShiftJIS, "髙島屋 ①"},
		{"euc-jp", japanese.EUCJP, "日本語のメール"},
		{"iso-2022-jp", japanese.ISO2022JP, "日本語のメールです"},
		{"tis-620", charmap.Windows874, "สวัสดีชาวโลก"},
		{"utf-16le", unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "Hello, 世界"},
	} {
		octets, err := c.in.NewEncoder().Bytes([]byte(c.text))
		if err != nil {
			panic("encoding the sample for " + c.label + ": " + err.Error()) // a mistake in the table above
		}
		all = append(all, encoded(to, c.label, c.text, octets))
	}
	return append(all,
		encoded(to, "utf-7", "Grüße für 1 + 1", []byte("Gr+APwA3w-e f+APw-r 1 +- 1")),
		encoded(to, "iso-2022-kr", "한국 A", []byte("\x1b$)C\x0eGQ19\x0f A")),
		encoded(to, "iso-2022-cn", "你好 A", []byte("\x1b$)A\x0eDc:C\x0f A")),
	)
}

func encoded(to, label, text string, octets []byte) Sample {
	name := "charset-" + strings.ReplaceAll(label, "_", "-")
	word := "=?" + label + "?B?" + base64.StdEncoding.EncodeToString(octets) + "?="
	return Sample{Name: name, WantSubject: text, WantText: text,
		Raw: compose(name, to, word, "Content-Type: text/plain; charset="+label, "Content-Transfer-Encoding: base64").body(encode64(octets))}
}
