package console

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// pageRows is how many mailboxes a page of the list shows unless more are asked
// for.
const pageRows = 50

// mailboxesNow is what refreshes itself of the list.
type mailboxesNow struct {
	Path      string // of the list as it is shown
	Notices   []notice
	Result    *bulkResult
	Chips     []tab
	Hidden    []pair // what the form of the filters has to send as well
	Selection *selection
	Columns   []column
	Sort      field // the same, where there is no place for columns
	Rows      []mailboxRow
	Pager     pager
	Sizes     []tab // how many rows a page can have
	Empty     *empty
	Setup     []setupStep // of a tenant without a mailbox: what to do, one after the other

	query url.Values
	total int
}

// mailboxFilter reads what the list is filtered by.
func mailboxFilter(q url.Values) operation.MailboxFilter {
	f := operation.MailboxFilter{Search: q.Get("q"), Folder: q.Get("folder"), Enabled: q.Get("enabled"), Attention: q.Get("attention") != ""}
	for _, s := range q["status"] {
		if s != "" {
			f.Status = append(f.Status, schemas.MailboxStatus(s))
		}
	}
	for _, s := range q["outgoing"] {
		if s != "" {
			f.Outgoing = append(f.Outgoing, operation.OutgoingStatus(s))
		}
	}
	return f
}

// mailboxesNow reads the page of the list that a query asks for.
func (r *request) mailboxesNow(q url.Values) (mailboxesNow, error) {
	q = listQuery(q)
	in, err := r.listInput(q)
	if err != nil {
		return mailboxesNow{}, err
	}
	list, err := r.desk.ListMailboxes(r.Context(), r.actor, in)
	if err != nil {
		return mailboxesNow{}, err
	}
	path := r.path("mailboxes")
	v := mailboxesNow{Path: withQuery(path, q), Notices: awayNotices(list.Away), query: q, total: list.Total}
	if list.Total == 0 {
		if v.Setup, err = r.setupSteps(); err != nil {
			return v, err
		}
		return v, nil
	}
	if key := r.noKey(); key != nil {
		key.Title = "No password can be kept."
		v.Notices = append(v.Notices, *key)
	}
	v.Chips = mailboxChips(path, q, list)
	for _, k := range []string{"status", "attention", "limit"} {
		for _, value := range q[k] {
			v.Hidden = append(v.Hidden, pair{k, value})
		}
	}
	for _, row := range list.Mailboxes {
		v.Rows = append(v.Rows, r.mailboxRow(row))
	}
	v.Columns, v.Sort = mailboxColumns(path, q, r.mayWrite()), mailboxSort(q.Get("sort"))
	if r.mayWrite() {
		v.Selection = r.bulkActions(list.Matching, q)
	}
	v.Pager = pager{First: list.First, Last: list.First + len(list.Mailboxes) - 1, Total: list.Matching, One: "mailbox", Many: "mailboxes"}
	if list.Previous != "" {
		v.Pager.Previous = withQuery(path, q, "cursor", list.Previous)
	}
	if list.Next != "" {
		v.Pager.Next = withQuery(path, q, "cursor", list.Next)
	}
	limit := cmp.Or(in.Limit, pageRows)
	for _, n := range []int{pageRows, 100, 200, 500} {
		if list.Matching > pageRows {
			v.Sizes = append(v.Sizes, tab{Label: strconv.Itoa(n), Path: withQuery(path, q, "limit", strconv.Itoa(n), "cursor", ""), Current: n == limit})
		}
	}
	switch {
	case len(v.Rows) > 0:
	case list.Matching > 0:
		v.Empty = &empty{Icon: "search", Title: "This page is empty now", Text: "What was on it was deleted, or moved to another page.", Action: &action{Label: "First page", Path: withQuery(path, q, "cursor", "")}}
	default:
		v.Empty = &empty{Icon: "search", Title: "No mailbox matches", Text: "Search for a part of the name, user, server or folder, or take a filter away.", Action: &action{Label: "Show all " + countText(list.Total), Path: path}}
	}
	return v, nil
}

// awayNotices say which columns could not be read.
func awayNotices(away []string) []notice {
	var list []notice
	for _, what := range away {
		list = append(list, notice{Tone: toneWarn, Title: "Not everything can be shown.", Text: "Missing are " + what + ". Those columns are empty until it is back."})
	}
	return list
}

// mailboxStatuses are the states of the incoming side in the order of the chips:
// what needs somebody first.
func mailboxStatuses() []schemas.MailboxStatus {
	return []schemas.MailboxStatus{
		schemas.StatusFailed, schemas.StatusAuthFailed, schemas.StatusTLSFailed, schemas.StatusUnreachable, schemas.StatusFolderMissing, schemas.StatusBlocked,
		schemas.StatusThrottled, schemas.StatusConnecting, schemas.StatusDraining, schemas.StatusLive, schemas.StatusPolling,
		schemas.StatusPaused, schemas.StatusDisabled, schemas.StatusDraft,
	}
}

// mailboxChips are the states that occur, with how many mailboxes are in each.
func mailboxChips(path string, q url.Values, list operation.MailboxPage) []tab {
	status, attention := q.Get("status"), q.Get("attention") != ""
	chips := []tab{
		{Label: "All", Count: countText(list.Total), Path: withQuery(path, q, "status", "", "attention", "", "cursor", ""), Current: status == "" && !attention},
		{Label: "Needs attention", Count: countText(list.Counts["attention"]), Path: withQuery(path, q, "status", "", "attention", "1", "cursor", ""), Current: attention},
	}
	for _, s := range mailboxStatuses() {
		if n := list.Counts[string(s)]; n > 0 || status == string(s) {
			chips = append(chips, tab{Label: statusBadge(s).Text, Count: countText(n), Path: withQuery(path, q, "status", string(s), "attention", "", "cursor", ""), Current: !attention && status == string(s)})
		}
	}
	return chips
}

func mailboxColumns(path string, q url.Values, write bool) []column {
	number := func(c column) column { c.Numeric = true; return c }
	by := func(name, label string) column { return sortable(path, q, name, label, "name") }
	list := []column{
		by("name", "Name"), by("username", "Address"), number(by("folders", "Folders")), by("status", "In"), by("outgoing", "Out"), by("checked", "Checked"),
		number(by("backlog", "Backlog")), number(by("today", "Today")), number(by("failed", "Failed")), by("enabled", "Enabled"), by("problem", "Last error"),
	}
	if write {
		list = append(list, column{Label: "Actions", Hidden: true})
	}
	return list
}

// mailboxSort is the choice of what the list is sorted by.
func mailboxSort(now string) field {
	f := field{Name: "sort", Label: "Sort by", Widget: widgetSelect, Value: now, Options: []option{
		{Value: "", Label: "Name"}, {Value: "-name", Label: "Name, Z to A"}, {Value: "username", Label: "Address"}, {Value: "status", Label: "State in"}, {Value: "outgoing", Label: "State out"},
		{Value: "checked", Label: "Checked longest ago"}, {Value: "-backlog", Label: "Most backlog"}, {Value: "-today", Label: "Most today"}, {Value: "-failed", Label: "Most failed"},
		{Value: "-folders", Label: "Most folders"}, {Value: "enabled", Label: "Enabled"}, {Value: "problem", Label: "Last error"},
	}}
	if !slices.ContainsFunc(f.Options, func(o option) bool { return o.Value == now }) {
		f.Options = append(f.Options, option{Value: now, Label: "As the column says"})
	}
	return f
}

// mailboxFilters are the filters beside the search.
func (r *request) mailboxFilters(q url.Values) ([]field, error) {
	folders, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
	if err != nil {
		return nil, err
	}
	inFolder := []option{{Value: "", Label: "Any folder"}}
	for _, f := range folders.Folders {
		inFolder = append(inFolder, option{Value: f.Document.ID, Label: f.Document.Name})
	}
	sending := []option{{Value: "", Label: "Any outgoing"}}
	for _, s := range []operation.OutgoingStatus{operation.OutgoingFailed, operation.OutgoingReady, operation.OutgoingUntested, operation.OutgoingOff} {
		sending = append(sending, option{Value: string(s), Label: "Out: " + outgoingBadge(operation.Outgoing{Status: s}).Text})
	}
	return []field{
		{Name: "folder", Label: "Folder", Widget: widgetSelect, Value: q.Get("folder"), Options: inFolder},
		{Name: "outgoing", Label: "Outgoing", Widget: widgetSelect, Value: q.Get("outgoing"), Options: sending},
		{Name: "enabled", Label: "Enabled", Widget: widgetSelect, Value: q.Get("enabled"), Options: []option{{Value: "", Label: "Enabled or not"}, {Value: "true", Label: "Enabled"}, {Value: "false", Label: "Not enabled"}}},
	}, nil
}
