package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// showMail prints a mail for a person.
func (c *command) showMail(d mailstore.Detail) error {
	var b strings.Builder
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "%-14s %s\n", label, fmt.Sprintf(format, args...))
	}
	line("Mail", "%s", d.MailID)
	line("Subject", "%s", oneLine(d.Subject, 200))
	for _, role := range []string{"from", "reply-to", "to", "cc", "bcc"} {
		if list := addresses(d, role); list != "" {
			line(strings.ToUpper(role[:1])+role[1:], "%s", list)
		}
	}
	line("Message-ID", "%s", oneLine(d.MessageID, 200))
	line("Size", "%s (%s lane)", bytesText(d.Size), d.Lane)
	line("Mailbox", "%s/%s, UIDVALIDITY %d, UID %d", d.Tenant, d.Mailbox, d.UIDValidity, d.UID)
	if d.Bounce {
		line("Kind", "bounce")
	} else if d.AutoReply {
		line("Kind", "automatic reply")
	}
	b.WriteString("\nWay\n")
	way(&b, d.Summary)
	b.WriteString("\nWhy\n")
	why(&b, d)
	if len(d.Attached) > 0 {
		b.WriteString("\nAttachments\n")
		for _, a := range d.Attached {
			fmt.Fprintf(&b, "  %d. %s, %s, %s\n", a.Position, oneLine(a.Filename, 100), a.ContentType, bytesText(a.Size))
		}
	}
	if len(d.Defects) > 0 {
		b.WriteString("\nDefects\n")
		for _, f := range d.Defects {
			fmt.Fprintf(&b, "  %s %s\n", f.Code, oneLine(f.Detail, 160))
		}
	}
	if d.HeaderOnly {
		b.WriteString("\nOnly the header section was downloaded.\n")
	} else {
		b.WriteString("\n" + strings.TrimRight(printable(d.Text), "\n") + "\n")
	}
	_, err := c.streams.Out.Write([]byte(b.String()))
	return err
}

func addresses(d mailstore.Detail, role string) string {
	const most = 10
	var list []string
	n := 0
	for _, a := range d.Addresses {
		if a.Role != role {
			continue
		}
		if n++; n > most {
			continue
		}
		text := oneLine(a.Address, 100)
		if a.Name != "" {
			text = oneLine(a.Name, 60) + " <" + text + ">"
		}
		list = append(list, text)
	}
	if n > most {
		list = append(list, fmt.Sprintf("and %d more", n-most))
	}
	return strings.Join(list, ", ")
}

// way prints when the mail passed each stage, and how long that took.
func way(b *strings.Builder, m mailstore.Summary) {
	persisted := m.PersistedAt
	steps := []struct {
		name string
		at   *time.Time
		note string
	}{
		{"received by the mail server", m.InternalAt, ""},
		{"fetched", m.FetchedAt, ""},
		{"classified", m.ClassifiedAt, ""},
		{"persisted", &persisted, ""},
		{"disposed of", m.DisposedAt, disposal(m)},
	}
	var before *time.Time
	for i, s := range steps {
		took := ""
		if before != nil && s.at != nil && i > 1 {
			took = fmt.Sprintf("+%d ms", s.at.Sub(*before).Milliseconds())
		}
		fmt.Fprintf(b, "  %-28s %-24s %-10s %s\n", s.name, timeText(s.at), took, s.note)
		if s.at != nil {
			before = s.at
		}
	}
}

func disposal(m mailstore.Summary) string {
	switch {
	case m.DisposedAt == nil:
		return "still in the inbox"
	case m.DisposedMethod == "delete":
		return "deleted by way of " + oneLine(m.DisposedTo, 60)
	}
	return "moved to " + oneLine(m.DisposedTo, 60)
}

// why prints which folders the mail is in and what decided it.
func why(b *strings.Builder, d mailstore.Detail) {
	if d.Verdict == schemas.Invalid {
		fmt.Fprintf(b, "  invalid: %s\n", reasonText(d.Reason))
	}
	for _, i := range d.Items {
		if i.MatchedRule == schemas.RuleCatchAll {
			fmt.Fprintf(b, "  %s: no address matched a folder; it takes what is left\n", oneLine(i.FolderName, 60))
			continue
		}
		how := "is an address of the folder"
		if i.MatchedRule == schemas.RulePlus {
			how = "without its +tag is an address of the folder"
		}
		fmt.Fprintf(b, "  %s: %s in %s %s\n", oneLine(i.FolderName, 60), oneLine(i.MatchedAddress, 100), i.MatchedHeader, how)
	}
	for _, r := range d.Recipients {
		switch {
		case r.Folder != "":
		case r.Used:
			fmt.Fprintf(b, "  %s in %s belongs to no folder of this mailbox\n", oneLine(r.Address, 100), r.Header)
		default:
			fmt.Fprintf(b, "  %s in %s was not looked at\n", oneLine(r.Address, 100), r.Header)
		}
	}
}

func reasonText(r schemas.Reason) string {
	switch r {
	case schemas.ReasonOversize:
		return "larger than max_email_bytes (oversize)"
	case schemas.ReasonNoMatchingFolder:
		return "no recipient address belongs to a folder (no-matching-folder)"
	case schemas.ReasonUnparsable:
		return "no header field can be found in it (unparsable)"
	case schemas.ReasonLoop:
		return "it was sent from here and came back (loop)"
	}
	return string(r)
}
