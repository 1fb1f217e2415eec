package routing

import (
	"strings"

	"github.com/mailyard/mailyard/pkg/message"
)

// topmostBlock returns how many of the first fields the receiving server put on
// top of the mail; the package comment defines which.
func topmostBlock(fields []message.Field) int {
	received := -1 // the last Received field that was passed
	for i, f := range fields {
		switch {
		case strings.EqualFold(f.Name, "Received"):
			if !isLastStep(f.Value) {
				return i
			}
			received = i
		case isAuthored(f.Name):
			if received >= 0 {
				return received
			}
			return i
		}
	}
	if received >= 0 {
		return received
	}
	return len(fields)
}

// isAuthored reports whether a field is one that authors and resenders write,
// below which nothing was recorded by the receiving server.
func isAuthored(name string) bool {
	const resent = "Resent-"
	if len(name) > len(resent) && strings.EqualFold(name[:len(resent)], resent) {
		return true
	}
	for _, authored := range [...]string{
		"From", "To", "Cc", "Bcc", "Date", "Subject", "Sender", "Reply-To", "Message-ID",
		"In-Reply-To", "References", "MIME-Version", "Content-Type",
	} {
		if len(name) == len(authored) && strings.EqualFold(name, authored) {
			return true
		}
	}
	return false
}

// isLastStep reports whether a Received field was written by a step inside the
// receiving server, or by a program that collected the mail from a mailbox.
func isLastStep(received string) bool {
	if strings.HasPrefix(received, "(qmail ") {
		return strings.Contains(received, " invoked by ") // "from network" is SMTP
	}
	protocol := strings.TrimPrefix(strings.ToUpper(protocolOf(received)), "UTF8")
	for _, p := range [...]string{"LMTP", "POP3", "IMAP"} { // and LMTPS, IMAP4-SSL, ...
		if strings.HasPrefix(protocol, p) {
			return true
		}
	}
	return false
}

// protocolOf returns the word behind "with" in a Received field (RFC 5321,
// section 4.4). The name that the other host gave for itself stands in the field
// too, and may be made to look like a clause, or to hide one in a comment. So
// the answer is empty if there is more than one "by" or "with", or a comment
// does not end.
func protocolOf(received string) string {
	text, ok := withoutComments(received)
	if !ok {
		return ""
	}
	protocol, by, with := "", 0, 0
	for word := range strings.FieldsSeq(text) {
		switch {
		case strings.EqualFold(word, "by"):
			by++
		case strings.EqualFold(word, "with"):
			if with++; by == 0 {
				return ""
			}
		case by == 1 && with == 1 && protocol == "":
			protocol = word
		}
	}
	if by != 1 || with != 1 {
		return ""
	}
	return protocol
}

// withoutComments puts a space in the place of each comment, and reports
// whether all of them end.
func withoutComments(s string) (string, bool) {
	if strings.IndexByte(s, '(') < 0 {
		return s, true
	}
	out := make([]byte, 0, len(s))
	depth := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '(':
			depth++
			out = append(out, ' ')
		case c == ')' && depth > 0:
			depth--
		case depth == 0:
			out = append(out, c)
		}
	}
	return string(out), depth == 0
}
