package message

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// A Defect is something that was wrong with a mail, and what was made of it.
// Defects never keep a mail from being imported.
type Defect struct {
	Code   string // one of the Defect… constants
	Detail string // for people; valid UTF-8, at most 200 bytes
	Part   string // of the MIME part, as in Attachment.Part; empty: of the mail itself
}

// Codes of defects.
const (
	DefectNoHeader         = "no-header"         // not one header field; the whole mail is taken as text
	DefectHeaderTooLarge   = "header-too-large"  // fields beyond MaxHeader (part: Limits.PartHeader) are ignored
	DefectHeaderLine       = "header-line"       // a header line that is no field was skipped
	DefectHeaderBytes      = "header-bytes"      // NUL, bare CR or bytes that are not UTF-8 in the header
	DefectLeadingBytes     = "leading-bytes"     // empty lines, white space or a byte order mark before the header
	DefectMboxLine         = "mbox-line"         // an mbox "From " line before the header
	DefectBareCR           = "bare-cr"           // lines end with CR alone
	DefectNoSeparator      = "no-separator"      // no empty line between header and body
	DefectDuplicateField   = "duplicate-field"   // a field that may stand only once; the first one counts
	DefectDate             = "date"              // no date can be read, or an absurd one
	DefectContentType      = "content-type"      // malformed; text/plain or application/octet-stream was assumed
	DefectParameters       = "parameters"        // too many parameters, or continuations with gaps
	DefectTransferEncoding = "transfer-encoding" // unknown; taken as it is
	DefectBase64           = "base64"            // broken; what could be decoded is there
	DefectQuotedPrintable  = "quoted-printable"  // broken; what could not be decoded is left as it is
	DefectCharsetUnknown   = "charset-unknown"   // UTF-8 or windows-1252 was assumed
	DefectCharsetWrong     = "charset-wrong"     // the text is not in the charset that it claims
	DefectNUL              = "nul-bytes"         // NUL bytes were removed from the text
	DefectBoundaryMissing  = "boundary-missing"  // a multipart without boundary, or one that does not occur
	DefectBoundaryUnclosed = "boundary-unclosed" // the final boundary is missing: the mail may be cut off
	DefectTooDeep          = "too-deep"          // Limits.Depth; the part is one attachment
	DefectTooManyParts     = "too-many-parts"    // Limits.Parts; the rest is one attachment
	DefectTextTooLarge     = "text-too-large"    // Limits.Text or Limits.HTML; the text is cut
	DefectTooManyDefects   = "too-many-defects"  // the rest is not listed
	DefectFilename         = "filename"          // the file name was unsafe and has been changed
	DefectPartsAfterEnd    = "parts-after-end"   // parts after the final boundary of their multipart, taken all the same
)

const (
	maxDefects = 100
	maxDetail  = 200
)

// defects collects at most maxDefects; a mail with a million faults costs no
// more than one with a hundred.
type defects struct {
	list []Defect
}

func (d *defects) add(code, part, detail string) {
	switch {
	case len(d.list) > maxDefects:
	case len(d.list) == maxDefects:
		d.list = append(d.list, Defect{Code: DefectTooManyDefects, Detail: "more than " + strconv.Itoa(maxDefects)})
	default:
		d.list = append(d.list, Defect{Code: code, Detail: clip(detail, maxDetail), Part: part})
	}
}

// once adds a defect unless that code is listed for that part already.
func (d *defects) once(code, part, detail string) {
	for _, have := range d.list {
		if have.Code == code && have.Part == part {
			return
		}
	}
	d.add(code, part, detail)
}

// clip returns at most n bytes of s, cut between characters, as valid UTF-8
// without NUL.
func clip(s string, n int) string {
	if len(s) > n {
		for n > 0 && !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
