package charset

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
)

// How many octets beyond the first of their characters text must have to be
// believed to be UTF-8 although it claims another charset. In Latin-1 such
// pairs are never words; in the others a short text may look like UTF-8 by
// accident.
const (
	trustLatin = 1
	trustOther = 8
)

// A set is how text of a charset is read: as UTF-8, by an encoding or by a
// function.
type set struct {
	utf8     bool
	ascii    bool // of utf8: claims to be ASCII only
	encoding encoding.Encoding
	trust    int
	sevenBit bool // ASCII octets do not mean ASCII characters
	decode   func([]byte) string
}

// normal brings the spellings of a charset's name together.
func normal(name string) string {
	name = strings.Trim(strings.ToLower(name), " \t\"'<>;,")
	if i := strings.IndexAny(name, " \t;,("); i > 0 {
		name = name[:i]
	}
	return strings.ReplaceAll(name, "_", "-")
}

// lookup knows the names for which the registry has a smaller charset than mail
// uses, or nothing. It returns an empty set for others.
func lookup(name string) set {
	switch name {
	case "utf-8", "utf8", "utf-8mb4", "utf8mb4", "utf-8-sig", "cp65001", "unicode-1-1-utf-8", "x-utf-8j", "utf-8n":
		return set{utf8: true}
	case "us-ascii", "ascii", "ansi-x3.4-1968", "iso-646", "646":
		return set{utf8: true, ascii: true}
	case "gb2312", "gb-2312-80", "gb2312-80", "csgb2312", "chinese", "gbk", "x-gbk", "cp936", "ms936", "windows-936", "euc-cn", "gb18030", "iso-ir-58":
		return set{encoding: simplifiedchinese.GB18030, trust: trustOther}
	case "hz-gb-2312", "hz":
		return set{encoding: simplifiedchinese.HZGB2312, trust: trustOther, sevenBit: true}
	case "big5", "big5-hkscs", "big5hkscs", "cp950", "ms950", "windows-950", "x-x-big5", "cn-big5", "csbig5":
		return set{encoding: traditionalchinese.Big5, trust: trustOther}
	case "euc-kr", "euckr", "ks-c-5601", "ks-c-5601-1987", "ks-c-5601-1989", "ksc5601", "ksc-5601", "korean", "cp949", "ms949", "windows-949", "uhc", "iso-ir-149":
		return set{encoding: korean.EUCKR, trust: trustOther}
	case "shift-jis", "shiftjis", "sjis", "x-sjis", "s-jis", "cp932", "ms932", "windows-932", "windows-31j", "ms-kanji", "cswindows31j":
		return set{encoding: japanese.ShiftJIS, trust: trustOther}
	case "euc-jp", "eucjp", "x-euc-jp", "x-eucjp", "ujis", "cp51932", "eucjp-ms":
		return set{encoding: japanese.EUCJP, trust: trustOther}
	case "iso-2022-jp", "csiso2022jp", "iso-2022-jp-1", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ms", "cp50220", "cp50221", "cp50222", "jis":
		return set{encoding: japanese.ISO2022JP, trust: trustLatin, sevenBit: true}
	case "iso-2022-kr", "csiso2022kr", "iso-2022-cn", "iso-2022-cn-ext":
		korea := name == "iso-2022-kr" || name == "csiso2022kr"
		return set{decode: func(b []byte) string { return decodeShifted(b, korea) }, sevenBit: true}
	case "utf-7", "unicode-1-1-utf-7", "x-unicode-2-0-utf-7", "cp65000":
		return set{decode: decodeUTF7, sevenBit: true}
	case "latin1", "latin-1", "l1", "iso-ir-100", "cp819", "ibm819", "ansi", "default":
		return set{encoding: charmap.Windows1252, trust: trustLatin}
	case "tis-620", "tis620", "iso-ir-166":
		return set{encoding: charmap.Windows874, trust: trustOther}
	case "koi8-r", "koi8r", "koi8":
		return set{encoding: charmap.KOI8R, trust: trustOther}
	case "koi8-u", "koi8u", "koi8-ru":
		return set{encoding: charmap.KOI8U, trust: trustOther}
	case "mac", "x-mac-roman", "macintosh", "macroman", "x-macroman":
		return set{encoding: charmap.Macintosh, trust: trustOther}
	}
	if n, ok := codePage(name); ok {
		return windows(n)
	}
	if n, ok := isoPart(name); ok {
		return iso8859(n)
	}
	return set{}
}

// codePage finds the number of a Windows code page in the spellings of its name.
func codePage(name string) (string, bool) {
	for _, prefix := range []string{"windows-", "windows", "x-cp", "x-windows-", "win-", "win", "cp-", "cp", "ms"} {
		if n, ok := strings.CutPrefix(name, prefix); ok && len(n) >= 3 && len(n) <= 4 {
			return n, true
		}
	}
	return "", false
}

func windows(number string) set {
	if number == "1252" {
		return set{encoding: charmap.Windows1252, trust: trustLatin}
	}
	return set{encoding: codePages[number], trust: trustOther}
}

var codePages = map[string]encoding.Encoding{
	"1250": charmap.Windows1250, "1251": charmap.Windows1251, "1253": charmap.Windows1253,
	"1254": charmap.Windows1254, "1255": charmap.Windows1255, "1256": charmap.Windows1256,
	"1257": charmap.Windows1257, "1258": charmap.Windows1258, "874": charmap.Windows874,
	"437": charmap.CodePage437, "850": charmap.CodePage850, "852": charmap.CodePage852,
	"866": charmap.CodePage866,
}

// isoPart finds the part of ISO 8859 in the spellings of its name.
func isoPart(name string) (string, bool) {
	for _, prefix := range []string{"iso-8859-", "iso8859-", "iso8859", "iso-8859", "8859-", "x-iso-8859-"} {
		if n, ok := strings.CutPrefix(name, prefix); ok {
			n, _, _ = strings.Cut(n, "-") // iso-8859-8-i, iso-8859-1-windows-3.1
			n, _, _ = strings.Cut(n, ":") // iso-8859-1:1987
			return n, n != ""
		}
	}
	return "", false
}

func iso8859(part string) set {
	if part == "1" {
		return set{encoding: charmap.Windows1252, trust: trustLatin}
	}
	return set{encoding: isoParts[part], trust: trustOther}
}

// isoParts has, for parts 9 and 11, the Windows code pages that extend them.
var isoParts = map[string]encoding.Encoding{
	"2": charmap.ISO8859_2, "3": charmap.ISO8859_3, "4": charmap.ISO8859_4, "5": charmap.ISO8859_5,
	"6": charmap.ISO8859_6, "7": charmap.ISO8859_7, "8": charmap.ISO8859_8, "9": charmap.Windows1254,
	"10": charmap.ISO8859_10, "11": charmap.Windows874, "13": charmap.ISO8859_13, "14": charmap.ISO8859_14,
	"15": charmap.ISO8859_15, "16": charmap.ISO8859_16,
}
