package console

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// shownText is how many bytes of the text or the source of a mail a page shows.
const shownText = 256 << 10

// mailView is one mail: its way, why it is where it is, and what is in it.
type mailView struct {
	Header  header
	Notice  *notice
	Way     []waypoint
	Facts   []fact
	Clones  []cloneView
	Looked  []looked
	Flags   []badge
	DSN     []fact
	Trust   []trust
	Defects []mailstore.Defect

	Tabs  []tab // of what is in it
	Frame string
	Text  string
	Cut   string // how much of it is shown
	None  string // why there is nothing
	Notes []string
	Files []attached
	Raw   string // path of the download
}

// A cloneView is a folder that a mail is in, and why.
type cloneView struct {
	Name, Because string
	Item          string
}

// A trust is what a server says that it found out about the sender.
type trust struct {
	Server  string
	Results []badge
	Text    string // verbatim
}

// An attached is a file of a mail.
type attached struct {
	mailstore.Attachment
	Path string
	Icon string
}

// views are what can be shown of the content of a mail.
const (
	viewHTML   = "html"
	viewText   = "text"
	viewSource = "source"
)

func (r *request) inMail() operation.InMail {
	return operation.InMail{InTenant: r.inTenant(), ID: r.PathValue("mail")}
}

// mail shows one mail.
func (c *console) mail(r *request) error {
	m, err := r.desk.GetMail(r.Context(), r.actor, &operation.GetMail{InMail: r.inMail()})
	if err != nil {
		return err
	}
	names, err := r.namesIn(r.tenant.Document.ID)
	if err != nil {
		return err
	}
	v := r.mailView(m.Detail, names)
	if err := r.showContent(&v, m.Detail); err != nil {
		return err
	}
	return r.page("mail", page{Title: v.Header.Title, Section: sectionMail}, v)
}

func (r *request) mailView(m mailstore.Detail, lists nameLists) mailView {
	verdict := verdictBadge(m.Verdict, m.Reason)
	v := mailView{
		Header: header{
			Title: cmp.Or(plainLine(m.Subject), "(no subject)"), Back: &link{"Mail", r.path("mails")}, Badge: &verdict,
			Text: "From " + cmp.Or(fullAddress(m.FromName, m.FromAddress), "nobody"),
		},
		Way: wayOf(m.Summary), Facts: r.mailFacts(m, lists), DSN: dsnFacts(m.DSN), Defects: m.Defects, Raw: r.path("mails", m.MailID, "raw"),
	}
	v.Header.Actions = []action{{Label: "Download", Icon: "download", Path: v.Raw}}
	names := func(id string) string { return lists.folder(m.Tenant, id).Text() }
	for _, i := range m.Items {
		v.Clones = append(v.Clones, cloneView{Name: cmp.Or(i.FolderName, names(i.Folder)), Because: becauseText(i.MatchedRule, i.MatchedHeader, i.MatchedAddress), Item: i.ID})
	}
	v.Looked = lookedAt(m.Recipients, names)
	if m.Verdict == schemas.Invalid {
		v.Notice = &notice{Tone: toneWarn, Title: "It is in no folder:", Text: reasonText(m.Reason)}
		if m.Reason == schemas.ReasonNoMatchingFolder {
			v.Notice.Action = &action{Label: "Simulator", Icon: "flask", Path: withQuery(r.path("simulator"), url.Values{}, "mailbox", m.Mailbox, "mail", m.MailID)}
		}
	}
	if m.Bounce {
		v.Flags = append(v.Flags, badge{toneInfo, "Bounce", "A report that delivery failed"})
	}
	if m.AutoReply {
		v.Flags = append(v.Flags, badge{toneInfo, "Auto-reply", "Written by a machine in answer to something"})
	}
	if m.HeaderOnly {
		v.Flags = append(v.Flags, badge{toneInfo, "Header only", "Its body was never downloaded"})
	}
	for _, line := range m.AuthResults {
		v.Trust = append(v.Trust, trustOf(line))
	}
	for _, a := range m.Attached {
		file := attached{Attachment: a, Path: r.path("mails", m.MailID, "attachments", strconv.Itoa(a.Position)), Icon: "file"}
		file.Filename = plainLine(a.Filename)
		switch {
		case a.IsMessage:
			file.Icon = "mail"
		case strings.HasPrefix(a.ContentType, "image/"):
			file.Icon = "image"
		}
		v.Files = append(v.Files, file)
	}
	return v
}

// showContent chooses what is shown of a mail: HTML, text or source.
func (r *request) showContent(v *mailView, m mailstore.Detail) error {
	view := r.FormValue("view")
	switch {
	case view == viewSource:
	case m.HTML == "" || view == viewText:
		view = viewText
	default:
		view = viewHTML
	}
	add := func(id, label string) {
		v.Tabs = append(v.Tabs, tab{Label: label, Path: withQuery(r.path("mails", m.MailID), url.Values{}, "view", id) + "#content", Current: id == view})
	}
	if m.HTML != "" {
		add(viewHTML, "HTML")
	}
	add(viewText, "Text")
	add(viewSource, "Source")
	switch view {
	case viewHTML:
		v.Frame, v.Notes = r.path("mails", m.MailID, "html"), frameNotes(m)
	case viewText:
		v.show(m.Text)
		if v.None = "There is no text in it."; m.HeaderOnly {
			v.None = "Only its header was downloaded. The source shows it."
		}
	case viewSource:
		raw, err := r.desk.GetRawMail(r.Context(), r.actor, &operation.GetRawMail{InMail: r.inMail()})
		if err != nil {
			return err
		}
		v.show(string(raw.Content))
		v.None = "Nothing of it is stored."
	}
	return nil
}

// show shows the beginning of a text.
func (v *mailView) show(s string) {
	text, cut := cutText(s, shownText)
	if v.Text = mailText(text); cut {
		v.Cut = "The first " + sizeText(int64(len(text))) + " of " + sizeText(int64(len(s))) + ". The download has all of it."
	}
}

func (r *request) mailFacts(m mailstore.Detail, names nameLists) []fact {
	roles := map[string][]string{}
	for _, a := range m.Addresses {
		roles[a.Role] = append(roles[a.Role], fullAddress(a.Name, a.Address))
	}
	var list []fact
	for _, role := range []pair{{"from", "From"}, {"sender", "Sender"}, {"reply-to", "Reply-To"}, {"to", "To"}, {"cc", "Cc"}, {"bcc", "Bcc"}} {
		const most = 20
		if all := roles[role.Name]; len(all) > most {
			list = append(list, fact{Name: role.Value, Text: strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", len(all)-most)})
		} else if len(all) > 0 {
			list = append(list, fact{Name: role.Value, Text: strings.Join(all, ", ")})
		}
	}
	if m.SentAt != nil {
		list = append(list, fact{Name: "Date", Text: absolute(*m.SentAt)})
	}
	list = append(list,
		fact{Name: "Message-ID", Text: plainLine(m.MessageID), Code: m.MessageID != ""},
		namedFact("Mailbox", names.mailbox(m.Tenant, m.Mailbox)),
		fact{Name: "Size", Text: sizeText(m.Size)},
		fact{Name: "Lane", Text: string(m.Lane)},
		fact{Name: "On the server", Text: fmt.Sprintf("UIDVALIDITY %d, UID %d", m.UIDValidity, m.UID)},
		fact{Name: "Mail id", Text: m.MailID, Code: true},
		fact{Name: "SHA-256", Text: m.SHA256, Code: true},
	)
	if m.InReplyTo != "" {
		list = append(list, fact{Name: "In reply to", Text: plainLine(m.InReplyTo), Link: withQuery(r.path("mails"), url.Values{}, "message_id", m.InReplyTo)})
	}
	if m.AutoSubmitted != "" {
		list = append(list, fact{Name: "Auto-Submitted", Text: plainLine(m.AutoSubmitted), Code: true})
	}
	return list
}

func dsnFacts(d *mailstore.DSN) []fact {
	if d == nil {
		return nil
	}
	var list []fact
	for _, f := range []pair{{"Action", d.Action}, {"Status", d.Status}, {"Recipient", d.FinalRecipient}, {"What the server said", d.Diagnostic}, {"About the mail", d.OriginalMessageID}} {
		list = append(list, fact{Name: f.Name, Text: plainLine(f.Value), Code: f.Value != ""})
	}
	return list
}

// fullAddress writes an address with its display name.
func fullAddress(name, address string) string {
	name, address = plainLine(name), plainLine(address)
	if name == "" || name == address {
		return address
	}
	return strings.TrimSpace(name + " <" + address + ">")
}

// trustOf reads a field Authentication-Results (RFC 8601): who says it, and the
// result of each method.
func trustOf(line string) trust {
	server, _, _ := strings.Cut(line, ";")
	t := trust{Server: plainLine(server), Text: plainLine(line)}
	results := regexp.MustCompile(`(?i)(?:^|[;\s])(spf|dkim|dmarc|arc|iprev|auth)\s*=\s*([a-z]+)`)
	const most = 12
	for _, found := range results.FindAllStringSubmatch(line, most) {
		b := badge{Tone: toneOff, Text: strings.ToUpper(found[1]) + " " + strings.ToLower(found[2])}
		switch strings.ToLower(found[2]) {
		case "pass":
			b.Tone = toneOK
		case "fail", "hardfail", "permerror":
			b.Tone = toneBad
		case "softfail", "temperror":
			b.Tone = toneWarn
		}
		t.Results = append(t.Results, b)
	}
	return t
}

// A waypoint is a stage of the way of a mail.
type waypoint struct {
	Tone  tone
	Title string
	At    time.Time // zero: not yet, or not known
	Took  string    // since the stage before
	Text  string
}

// wayOf is the way of a mail from the mail server and back.
func wayOf(s mailstore.Summary) []waypoint {
	var before time.Time
	step := func(title, text string, at *time.Time, since string) waypoint {
		w := waypoint{Tone: toneOff, Title: title, Text: text}
		if at == nil {
			return w
		}
		w.Tone, w.At = toneOK, *at
		if took := at.Sub(before); !before.IsZero() && took >= 0 {
			w.Took = durationText(max(took, time.Millisecond)) + " " + since
		}
		before = *at
		return w
	}
	persisted := s.PersistedAt
	list := []waypoint{
		step("Arrived on the mail server", "As the server recorded it.", s.InternalAt, ""),
		step("Fetched", "By the "+string(s.Lane)+" lane.", s.FetchedAt, "after it arrived"),
		step("Classified", classifiedText(s), s.ClassifiedAt, "after it was fetched"),
		step("Stored", "In the messaging database.", &persisted, "after it was classified"),
	}
	if s.DisposedAt == nil {
		return append(list, waypoint{Tone: toneBusy, Title: "Still in the inbox", Text: "As far as is known. It leaves as soon as the mail server takes the command."})
	}
	return append(list, step("Left the inbox", disposedText(s), s.DisposedAt, "after it was stored"))
}

func classifiedText(s mailstore.Summary) string {
	if s.Verdict == schemas.Invalid {
		return "Invalid: " + strings.ToLower(reasonName(s.Reason)) + "."
	}
	return "For " + plural(len(s.Folders), "folder", "folders") + "."
}
