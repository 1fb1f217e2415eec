package message

import (
	"bytes"
	"strings"

	"github.com/mailyard/mailyard/pkg/message/charset"
)

// maxReports is how many recipients of a delivery status notification are
// looked at.
const maxReports = 1000

// readDSN reads a message/delivery-status part: groups of fields, first those of
// the whole mail, then one per recipient (RFC 3464, section 2.1).
func readDSN(m *Message, content []byte) {
	var picked *DSN
	for range maxReports {
		content = bytes.TrimLeft(content, "\r\n \t")
		if len(content) == 0 {
			break
		}
		end, body := headerEnd(content, 0, false, func([]byte) bool { return false })
		var ignored defects
		h := Header{Fields: scanFields(content[:min(end, MaxHeader)], false, "", &ignored)}
		content = content[body:]
		one := DSN{
			Action:         strings.ToLower(firstWord(h.Get("Action"))),
			Status:         firstWord(h.Get("Status")),
			FinalRecipient: recipient(h),
			Diagnostic:     typed(h.Get("Diagnostic-Code")),
		}
		if one == (DSN{}) {
			continue // the fields of the whole mail
		}
		if picked == nil || picked.Action != "failed" && one.Action == "failed" {
			picked = &one
		}
	}
	if picked == nil {
		picked = &DSN{}
	}
	if m.DSN == nil {
		m.DSN = picked
	}
}

func recipient(h Header) string {
	if r := typed(h.Get("Final-Recipient")); r != "" {
		return strings.Trim(r, "<>")
	}
	return strings.Trim(typed(h.Get("Original-Recipient")), "<>")
}

// typed drops the type from "rfc822; somebody@example.com".
func typed(value string) string {
	if _, rest, ok := strings.Cut(value, ";"); ok {
		value = rest
	}
	value, _ = charset.Words(strings.TrimSpace(value))
	return value
}

func firstWord(s string) string {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, " \t(;"); i >= 0 {
		s = s[:i]
	}
	return s
}

// judgeBounce tells whether a mail says that delivery failed: by its delivery
// status, or, for servers that write none, because a mail system sent it with
// the null return path. sentID is the id of the mail that came back with it.
func judgeBounce(m *Message, sentID string) {
	if failed := m.Header.Get("X-Failed-Recipients"); failed != "" && m.DSN == nil { // Exim
		first, _, _ := strings.Cut(failed, ",")
		m.DSN = &DSN{Action: "failed", FinalRecipient: strings.Trim(first, " <>")}
	}
	if m.DSN != nil {
		m.DSN.OriginalMessageID = sentID
		m.Bounce = m.DSN.failed()
		return
	}
	for _, v := range m.Header.Values("Return-Path") {
		if strings.Trim(v, "<> \t") == "" && len(m.From) > 0 && isMailSystem(m.From[0].Local) {
			m.Bounce = true
		}
	}
}

// failed reports whether delivery is over without success; a report that does
// not say what happened counts as one.
func (d *DSN) failed() bool {
	switch d.Action {
	case "failed":
		return true
	case "delayed", "delivered", "relayed", "expanded":
		return false
	}
	return d.Status == "" || strings.HasPrefix(d.Status, "5")
}

func isMailSystem(local string) bool {
	local = strings.ToLower(local)
	switch local {
	case "mailer-daemon", "mailerdaemon", "mail-daemon", "mail.daemon", "postmaster":
		return true
	}
	return strings.HasPrefix(local, "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e") // Exchange's own sender
}
