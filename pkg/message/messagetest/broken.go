package messagetest

import (
	"bytes"
	"strings"

	"github.com/mailyard/mailyard/pkg/message"
)

// broken returns mails with the faults that stop other programs.
func broken(to string) []Sample {
	alternative := `Content-Type: multipart/alternative; boundary="b"`
	return []Sample{
		{Name: "no-headers", WantText: "this has no header\n\nat all", WantUnparsable: true, WantNoDate: true, WantDefects: []string{message.DefectNoHeader},
			Raw: []byte("this has no header\r\n\r\nat all\r\n")},
		{Name: "empty", Raw: []byte{}, WantUnparsable: true, WantNoDate: true, WantDefects: []string{message.DefectNoHeader}},
		{Name: "nul-bytes", WantSubject: "Null", WantText: "before after", WantDefects: []string{message.DefectNUL, message.DefectHeaderBytes},
			Raw: compose("nul-bytes", to, "Nu\x00ll").body("before \x00after\x00")},
		{Name: "wrong-date", WantSubject: "When", WantText: "x", WantNoDate: true, WantDefects: []string{message.DefectDate},
			Raw: compose("wrong-date", to, "When", "Date: Sun, 99 Foo 19999 25:61:61 +9999").without("Date").bodyWith("Date: Sun, 99 Foo 19999 25:61:61 +9999", "x")},
		{Name: "absurd-date", WantSubject: "When", WantText: "x", WantNoDate: true, WantDefects: []string{message.DefectDate},
			Raw: compose("absurd-date", to, "When").without("Date").bodyWith("Date: Thu, 1 Jan 1970 00:00:00 +0000", "x")},
		{Name: "no-date", WantSubject: "When", WantText: "x", WantNoDate: true, Raw: compose("no-date", to, "When").without("Date").body("x")},
		{Name: "mbox-line", WantSubject: "Mbox", WantText: "x", WantDefects: []string{message.DefectMboxLine},
			Raw: append([]byte("From ada@customer.example Mon Mar  3 08:00:00 2025\r\n"), compose("mbox-line", to, "Mbox").body("x")...)},
		{Name: "leading-blank-lines", WantSubject: "Blank", WantText: "x", WantDefects: []string{message.DefectLeadingBytes},
			Raw: append([]byte("\r\n \r\n"), compose("leading-blank-lines", to, "Blank").body("x")...)},
		{Name: "line-without-colon", WantSubject: "Colon", WantText: "x", WantDefects: []string{message.DefectHeaderLine},
			Raw: compose("line-without-colon", to, "Colon", "this is no field", " and this goes on", "X-Spaced : yes").body("x")},
		{Name: "bare-lf", WantSubject: "LF", WantText: "one\ntwo", Raw: bytes.ReplaceAll(compose("bare-lf", to, "LF").body("one", "two"), []byte("\r\n"), []byte("\n"))},
		{Name: "bare-cr", WantSubject: "CR", WantText: "one\ntwo", WantDefects: []string{message.DefectBareCR},
			Raw: bytes.ReplaceAll(compose("bare-cr", to, "CR").body("one", "two"), []byte("\r\n"), []byte("\r"))},
		{Name: "raw-8bit-header", WantSubject: "Grüße", WantText: "x", WantDefects: []string{message.DefectHeaderBytes},
			Raw: compose("raw-8bit-header", to, "Gr\xFC\xDFe").body("x")},
		{Name: "broken-encoded-words", WantSubject: "häuse Test abc", WantText: "x",
			Raw: compose("broken-encoded-words", to, "=?utf-8?B?aMM=?= =?utf-8?B?pHVzZQ==?= =?iso-8859-1?Q? Test?=\r\n =?utf-8?q?_abc?=").body("x")},
		{Name: "charset-unknown", WantSubject: "Unknown", WantText: "Grüße", WantDefects: []string{message.DefectCharsetUnknown},
			Raw: compose("charset-unknown", to, "Unknown", "Content-Type: text/plain; charset=x-unknown").body("Gr\xFC\xDFe")},
		{Name: "charset-lie", WantSubject: "Lie", WantText: "Grüße", WantDefects: []string{message.DefectCharsetWrong},
			Raw: compose("charset-lie", to, "Lie", "Content-Type: text/plain; charset=us-ascii").body("Grüße")},
		{Name: "charset-lie-utf8", WantSubject: "Lie", WantText: "Grüße", WantDefects: []string{message.DefectCharsetWrong},
			Raw: compose("charset-lie-utf8", to, "Lie", "Content-Type: text/plain; charset=utf-8").body("Gr\xFC\xDFe")},
		{Name: "base64-broken", WantSubject: "Base64", WantText: "Hello, world of mail", WantDefects: []string{message.DefectBase64},
			Raw: compose("base64-broken", to, "Base64", "Content-Transfer-Encoding: base64").body("SGVsbG8s*IHdvcmxkIG9mIG1haWw")},
		{Name: "base64-with-footer", WantSubject: "Base64", WantText: "Hello, world of mail!", WantDefects: []string{message.DefectBase64},
			Raw: compose("base64-with-footer", to, "Base64", "Content-Transfer-Encoding: base64").body(
				"SGVsbG8sIHdvcmxkIG9mIG1haWwh", "_______________________", "A mailing list", "https://lists.example")},
		{Name: "base64-in-blocks", WantSubject: "Base64", WantText: "Hello, world of mail", WantDefects: []string{message.DefectBase64},
			Raw: compose("base64-in-blocks", to, "Base64", "Content-Transfer-Encoding: base64").body("SGVsbG8s", "IHdvcmxkIA==", "b2YgbWFpbA==", "", "And a footer")},
		{Name: "base64-not-at-all", WantSubject: "Base64", WantText: "This was never encoded, whatever the header says.", WantDefects: []string{message.DefectBase64},
			Raw: compose("base64-not-at-all", to, "Base64", "Content-Transfer-Encoding: base64").body("This was never encoded, whatever the header says.")},
		{Name: "quoted-printable-broken", WantSubject: "QP", WantText: "100=% of ü, a=zz", WantDefects: []string{message.DefectQuotedPrintable},
			Raw: compose("quoted-printable-broken", to, "QP", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: Quoted-Printable").body("100=% of =c3=bc, = ", "a=zz=")},
		{Name: "transfer-encoding-nonsense", WantSubject: "CTE", WantText: "x", WantDefects: []string{message.DefectTransferEncoding},
			Raw: compose("transfer-encoding-nonsense", to, "CTE", "Content-Transfer-Encoding: utf-8").body("x")},
		{Name: "boundary-unclosed", WantSubject: "Cut", WantText: "plain", WantDefects: []string{message.DefectBoundaryUnclosed},
			Raw: compose("boundary-unclosed", to, "Cut", alternative).body("--b", "", "plain", "--b", "Content-Type: text/html", "", "<p>page")},
		{Name: "boundary-missing", WantSubject: "Guess", WantText: "plain", WantDefects: []string{message.DefectBoundaryMissing},
			Raw: compose("boundary-missing", to, "Guess", "Content-Type: multipart/alternative").body("--x1", "Content-Type: text/plain", "", "plain", "--x1", "Content-Type: text/html", "", "<p>page", "--x1--")},
		{Name: "boundary-nowhere", WantSubject: "Nowhere", WantText: "just text", WantDefects: []string{message.DefectBoundaryMissing},
			Raw: compose("boundary-nowhere", to, "Nowhere", alternative).body("just text")},
		{Name: "content-type-nonsense", WantSubject: "Type", WantText: "x", WantDefects: []string{message.DefectContentType},
			Raw: compose("content-type-nonsense", to, "Type", "Content-Type: text").body("x")},
		{Name: "filename-hostile", WantSubject: "File", WantText: "x", WantFiles: []string{"passwd", "_CON.txt", "invoicefdp.exe"}, WantDefects: []string{message.DefectFilename},
			Raw: compose("filename-hostile", to, "File", `Content-Type: multipart/mixed; boundary="f"`).body(
				"--f", "", "x",
				"--f", `Content-Disposition: attachment; filename="../../etc/passwd"`, "", "1",
				"--f", `Content-Disposition: attachment; filename="C:\temp\CON.txt"`, "", "2",
				"--f", "Content-Disposition: attachment; filename*=utf-8''invoice%E2%80%AEfdp%00.exe", "", "3", "--f--")},
		{Name: "deep-nesting", WantSubject: "Deep", WantFiles: []string{"part-" + strings.Repeat("1.", 49) + "1.bin"}, WantDefects: []string{message.DefectTooDeep}, Raw: Nested(to, 10_000)},
		{Name: "too-many-parts", WantSubject: "Parts", WantFiles: []string{"part-1000.bin"}, WantDefects: []string{message.DefectTooManyParts}, Raw: Parts(to, 5_000)},
	}
}

// bodyWith adds a last field and ends the header.
func (d *draft) bodyWith(field string, lines ...string) []byte {
	d.lines = append(d.lines, field)
	return d.body(lines...)
}
