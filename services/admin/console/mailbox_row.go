package console

import (
	"strings"
	"time"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// mailboxRow is a row of the list.
type mailboxRow struct {
	operation.MailboxRow
	Path     string
	Address  string // the username, or what comes nearest
	Server   string // when the address does not tell it
	InBadge  badge
	OutBadge badge
	Seen     *time.Time // the replica has said nothing since; nil: it does
	Backlog  int
	Served   bool // it is enabled: a time of the last check means something
	Short    string
	Menu     []action // nil: the actor may do nothing
	ID       string   // of elements
	Names    names    // of the folders
}

// names are a count whose names show on demand.
type names struct {
	ID    string
	Count int
	Title string // all of them, on hover
	Text  string // for screen readers: "2 folders"
	Links []link
	All   string // path of all of them; may be empty
}

func namesOfLinks(id, text string, links []link) names {
	n := names{ID: id, Count: len(links), Text: text, Links: links}
	for i, l := range links {
		if i > 0 {
			n.Title += ", "
		}
		n.Title += l.Label
	}
	n.Title = clip(n.Title, 400)
	return n
}

func (r *request) mailboxRow(m operation.MailboxRow) mailboxRow {
	row := mailboxRow{
		MailboxRow: m, Path: r.path("mailboxes", m.ID), Address: m.Username, InBadge: incomingBadge(m.In), OutBadge: outgoingBadge(m.Out),
		Backlog: m.Waiting + m.InFlight, Served: m.Enabled, ID: elementID("mailbox", m.ID),
	}
	var folders []link
	for _, f := range m.Folders {
		folders = append(folders, link{Label: f.Name})
	}
	row.Names = namesOfLinks(row.ID+"-folders", plural(len(folders), "folder", "folders"), folders)
	if !strings.Contains(m.Username, "@") {
		row.Server = m.Host
	}
	if m.In.Stale {
		row.Seen = m.In.ObservedAt
	}
	row.Short = clip(cause(firstLine(m.Problem), m.Tenant, m.ID), 60)
	if r.mayWrite() {
		row.Menu = r.mailboxMenu(m)
	}
	return row
}

// cause leaves out what was being done, of a problem that begins with it and
// the mailbox's name: the column is narrow, and the row is the mailbox's.
func cause(problem, tenant, id string) string {
	if _, after, ok := strings.Cut(problem, tenant+"/"+id+": "); ok && after != "" {
		return sentence(after)
	}
	return problem
}

// mailboxMenu is what can be done with a mailbox.
func (r *request) mailboxMenu(m operation.MailboxRow) []action {
	at := func(parts ...string) string { return r.path(append([]string{"mailboxes", m.ID}, parts...)...) }
	turn := action{Label: "Enable", Icon: "play", Post: at("enable")}
	if m.Enabled {
		turn = action{Label: "Disable", Icon: "pause", Post: at("disable")}
	}
	return []action{
		{Label: "Open", Icon: "inbox", Path: at()},
		{Label: "Edit", Icon: "edit", Path: at("edit")},
		{Label: "Test", Icon: "stethoscope", Path: at("doctor")},
		{Label: "Dry run", Icon: "flask", Path: at("dry-run")},
		turn,
		{Label: "Copy", Icon: "copy", Path: withQuery(r.path("new-mailbox"), nil, "copy", m.ID)},
		{Label: "Protocol log", Icon: "code", Path: at("protocol")},
		{Label: "Delete", Icon: "trash", Danger: true, Load: at("delete")},
	}
}

// statusBadge says in which state the incoming side is.
func statusBadge(s schemas.MailboxStatus) badge {
	switch s {
	case schemas.StatusDraft:
		return badge{Tone: toneOff, Text: "Draft", Title: "It was never enabled"}
	case schemas.StatusBlocked:
		return badge{Tone: toneWarn, Text: "Blocked", Title: "A prerequisite is missing"}
	case schemas.StatusConnecting:
		return badge{Tone: toneBusy, Text: "Connecting", Title: "The first connection since the start, a change or a failure"}
	case schemas.StatusLive:
		return badge{Tone: toneOK, Text: "Live", Title: "Nothing waits; the server tells at once when mail comes"}
	case schemas.StatusPolling:
		return badge{Tone: toneOK, Text: "Polling", Title: "Nothing waits; the server has no IDLE and is asked from time to time"}
	case schemas.StatusDraining:
		return badge{Tone: toneBusy, Text: "Draining", Title: "Mail waits and is being fetched"}
	case schemas.StatusThrottled:
		return badge{Tone: toneWarn, Text: "Throttled", Title: "The provider asked us to wait"}
	case schemas.StatusAuthFailed:
		return badge{Tone: toneBad, Text: "Sign-in failed", Title: "The server refused username or password"}
	case schemas.StatusTLSFailed:
		return badge{Tone: toneBad, Text: "TLS failed", Title: "No secure connection could be made"}
	case schemas.StatusUnreachable:
		return badge{Tone: toneBad, Text: "Unreachable", Title: "No connection could be made"}
	case schemas.StatusFolderMissing:
		return badge{Tone: toneBad, Text: "Folder missing", Title: "A folder on the server is missing and cannot be created"}
	case schemas.StatusFailed:
		return badge{Tone: toneBad, Text: "Failed", Title: "Something else stops it"}
	case schemas.StatusPaused:
		return badge{Tone: toneOff, Text: "Paused", Title: "An operator paused it"}
	case schemas.StatusDisabled:
		return badge{Tone: toneOff, Text: "Disabled", Title: "An administrator disabled it"}
	}
	return badge{Tone: toneOff, Text: string(s)}
}

// incomingBadge is statusBadge, but without the colour of good news when nobody
// has said for a while that they still hold.
func incomingBadge(in operation.Incoming) badge {
	b := statusBadge(in.Status)
	if in.Stale {
		b.Title = "The replica that serves it has said nothing since " + absolute(*in.ObservedAt)
		if b.Tone == toneOK || b.Tone == toneBusy {
			b.Tone = toneWarn
		}
	}
	return b
}

// outgoingBadge says in which state the outgoing side is.
func outgoingBadge(out operation.Outgoing) badge {
	switch out.Status {
	case operation.OutgoingOff:
		return badge{Tone: toneOff, Text: "Off", Title: "It has no SMTP address and does not send"}
	case operation.OutgoingUntested:
		return badge{Tone: toneInfo, Text: "Untested", Title: "Not tested since it was configured so"}
	case operation.OutgoingReady:
		return badge{Tone: toneOK, Text: "Ready", Title: "The last test signed in"}
	case operation.OutgoingFailed:
		return badge{Tone: toneBad, Text: "Failed", Title: "The last test did not succeed"}
	}
	return badge{Tone: toneOff, Text: string(out.Status)}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return line
}
