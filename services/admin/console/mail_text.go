package console

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	schema "github.com/mailyard/mailyard/schemas/config"
)

// methodDelete is how mailstore calls that a mail was deleted on the server.
const methodDelete = string(schema.MethodDelete)

// reasonName is the name of a reason why mail is invalid.
func reasonName(r schemas.Reason) string {
	switch r {
	case schemas.ReasonOversize:
		return "Too large"
	case schemas.ReasonNoMatchingFolder:
		return "No folder"
	case schemas.ReasonUnparsable:
		return "Unparsable"
	case schemas.ReasonLoop:
		return "Loop"
	}
	return cmp.Or(string(r), "Invalid")
}

// reasonText explains a reason.
func reasonText(r schemas.Reason) string {
	switch r {
	case schemas.ReasonOversize:
		return "it is larger than the mailbox takes. Only its header was downloaded."
	case schemas.ReasonNoMatchingFolder:
		return "none of the addresses that it was sent to belongs to a folder of the mailbox."
	case schemas.ReasonUnparsable:
		return "not one header field can be found in it."
	case schemas.ReasonLoop:
		return "it was sent from here and came back."
	}
	return string(r)
}

// becauseText says why a mail belongs in a folder.
func becauseText(rule schemas.Rule, header, address string) string {
	what := header + ": " + plainLine(address)
	switch rule {
	case schemas.RuleExact:
		return what + " matched exactly"
	case schemas.RulePlus:
		return what + " matched without its +tag"
	case schemas.RuleCatchAll:
		return "nothing matched, and unmatched mail of the mailbox goes to this folder"
	}
	return what + " matched by the rule " + string(rule)
}

// A looked is an address that routing looked at.
type looked struct {
	schemas.Recipient
	Folder string // its name
	Badge  badge
	Why    string
}

// lookedAt explains what routing made of every address. names are of folders.
func lookedAt(list []schemas.Recipient, names func(id string) string) []looked {
	var out []looked
	decided := slices.ContainsFunc(list, func(a schemas.Recipient) bool { return a.Used })
	matched := slices.ContainsFunc(list, func(a schemas.Recipient) bool { return a.Used && a.Folder != "" })
	for _, a := range list {
		l := looked{Recipient: a, Folder: names(a.Folder)}
		l.Address = plainLine(a.Address)
		set, other := "header", "envelope"
		if isEnvelope(a.Header) {
			set, other = other, set
		}
		switch {
		case a.Used && a.Folder != "":
			l.Badge, l.Why = badge{Tone: toneOK, Text: "Used"}, "It is an address of the folder, and the "+set+" addresses decided."
		case a.Used, !decided && a.Folder == "":
			l.Badge, l.Why = badge{Tone: toneWarn, Text: "No folder"}, "No folder of the mailbox has this address."
			if matched { // nothing is amiss: most mail has addresses of others
				l.Badge.Tone = toneOff
			}
		case a.Folder != "":
			l.Badge, l.Why = badge{Tone: toneOff, Text: "Not used"}, "It is an address of the folder, but the "+other+" addresses decided."
		default:
			l.Badge, l.Why = badge{Tone: toneOff, Text: "Not used"}, "The "+other+" addresses decided."
		}
		out = append(out, l)
	}
	return out
}

// isEnvelope reports whether a header field is one in which the receiving server
// records the recipient of the envelope.
func isEnvelope(header string) bool {
	switch strings.ToLower(header) {
	case "delivered-to", "x-original-to", "envelope-to", "x-envelope-to":
		return true
	}
	return false
}

// disposedText says what happened to a mail on the mail server.
func disposedText(s mailstore.Summary) string {
	switch {
	case s.DisposedMethod != methodDelete:
		return "It was moved to " + cmp.Or(plainLine(s.DisposedTo), "another folder") + " on the mail server."
	case s.DisposedTo != "":
		return "It was deleted from the mail server, by way of " + plainLine(s.DisposedTo) + "."
	}
	return "It was deleted from the mail server."
}

// plainLine makes a text of a mail fit one line of a page: no line ends, no
// control characters, nothing that turns the direction of text around it.
func plainLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || isBidi(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

// mailText is plainLine for texts of several lines.
func mailText(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case unicode.IsControl(r) || isBidi(r):
			return '\uFFFD'
		}
		return r
	}, s)
}

// isBidi reports whether a character overrides or embeds a direction of text
// (Unicode Standard Annex 9, section 2).
func isBidi(r rune) bool {
	return r >= '\u202A' && r <= '\u202E' || r >= '\u2066' && r <= '\u2069'
}

// cutText returns the beginning of a text, at most n bytes, at the end of a rune.
func cutText(s string, n int) (text string, cut bool) {
	if len(s) <= n {
		return s, false
	}
	return strings.ToValidUTF8(s[:n], ""), true
}
