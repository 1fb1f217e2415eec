package console

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// choiceLimit is how many mailboxes a select offers. With more of them the id is
// typed.
const choiceLimit = 200

// reasons are why mail is invalid.
func reasons() []schemas.Reason {
	return []schemas.Reason{schemas.ReasonNoMatchingFolder, schemas.ReasonOversize, schemas.ReasonUnparsable, schemas.ReasonLoop}
}

// verdictOptions are the verdicts, those of invalid mail also with the reason:
// "invalid/oversize".
func verdictOptions() []option {
	list := []option{{Value: "", Label: "Any verdict"}, {Value: string(schemas.Accepted), Label: "Accepted"}, {Value: string(schemas.Invalid), Label: "Invalid"}}
	for _, reason := range reasons() {
		list = append(list, option{Value: string(schemas.Invalid) + "/" + string(reason), Label: "Invalid: " + strings.ToLower(reasonName(reason))})
	}
	return list
}

// ledgerFilters are the filters of the ledger: those that are always shown,
// the search in front, and those that are shown on demand.
func (r *request) ledgerFilters(q url.Values, folders map[string]string) ([]fieldset, error) {
	mailbox, err := r.mailboxChoice("Any mailbox", q.Get("mailbox"))
	if err != nil {
		return nil, err
	}
	inFolder := []option{{Value: "", Label: "Any folder"}}
	if id := q.Get("folder"); id != "" && folders[id] == "" {
		inFolder = append(inFolder, option{Value: id, Label: clip(id, 60) + " (deleted)"})
	}
	for _, id := range slices.SortedFunc(maps.Keys(folders), func(a, b string) int { return cmp.Compare(strings.ToLower(folders[a]), strings.ToLower(folders[b])) }) {
		inFolder = append(inFolder, option{Value: id, Label: folders[id]})
	}
	submits := []pair{{"data-submit", ""}}
	mailbox.Attributes = submits
	state := []option{{Value: "", Label: "Any state"}, {Value: string(mailstore.Undisposed), Label: "In the inbox"}, {Value: string(mailstore.Disposed), Label: "Left the inbox"}}
	return []fieldset{
		{Fields: []field{
			{Name: "text", Label: "Search", Value: q.Get("text"), Placeholder: "Words in subject, addresses or text", Attributes: []pair{{"data-search", ""}}},
			mailbox,
			{Name: "folder", Label: "Folder", Widget: widgetSelect, Options: inFolder, Value: q.Get("folder"), Attributes: submits},
			{Name: "verdict", Label: "Verdict", Widget: widgetSelect, Options: verdictOptions(), Value: ledgerVerdict(q), Attributes: submits},
			{Name: "state", Label: "State", Widget: widgetSelect, Options: state, Value: q.Get("state"), Attributes: submits},
		}},
		{Fields: []field{
			{Name: "address", Label: "Address", Value: q.Get("address"), Placeholder: "kim@example.org"},
			{Name: "subject", Label: "Subject", Value: q.Get("subject"), Placeholder: "a part of it"},
			{Name: "message_id", Label: "Message-ID", Value: q.Get("message_id"), Placeholder: "<id@host>"},
			{Name: "since", Label: "Stored from, UTC", Widget: widgetDate, Value: localTime(q.Get("since"))},
			{Name: "until", Label: "Stored before, UTC", Widget: widgetDate, Value: localTime(q.Get("until"))},
		}},
	}, nil
}

// ledgerVerdict returns the value of the select: links may give the reason apart.
func ledgerVerdict(q url.Values) string {
	if reason := q.Get("reason"); reason != "" && !strings.Contains(q.Get("verdict"), "/") {
		return string(schemas.Invalid) + "/" + reason
	}
	return q.Get("verdict")
}

// localTime writes a day as the control of a time wants it.
func localTime(s string) string {
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return s + "T00:00"
	}
	return s
}

// ledgerQuery reads what the ledger is filtered by.
func ledgerQuery(r *request, q url.Values) (operation.ListMails, config.Problems) {
	var problems config.Problems
	in := operation.ListMails{
		InTenant: r.inTenant(), Mailbox: strings.TrimSpace(q.Get("mailbox")), Folder: q.Get("folder"), State: mailstore.State(q.Get("state")),
		Text: strings.TrimSpace(q.Get("text")), Address: strings.TrimSpace(q.Get("address")), Subject: strings.TrimSpace(q.Get("subject")),
		MessageID: strings.TrimSpace(q.Get("message_id")), Since: q.Get("since"), Until: q.Get("until"), Before: q.Get("before"),
	}
	verdict := ledgerVerdict(q)
	if !slices.ContainsFunc(verdictOptions(), func(o option) bool { return o.Value == verdict }) {
		problems = append(problems, config.Problem{Path: "verdict", Message: strconv.Quote(clip(verdict, 40)) + " is no verdict; choose one of the list"})
		verdict = ""
	}
	of, reason, _ := strings.Cut(verdict, "/")
	in.Verdict, in.Reason = schemas.Verdict(of), schemas.Reason(reason)
	return in, problems
}

// mailboxChoice is a field that names a mailbox, or all. One that is not there
// any more can still be meant: its mail stays.
func (r *request) mailboxChoice(all, value string) (field, error) {
	f := field{Name: "mailbox", Label: "Mailbox", Value: value, Widget: widgetSelect, Options: []option{{Value: "", Label: all}}}
	list, err := r.desk.ListMailboxes(r.Context(), r.actor, &operation.ListMailboxes{InTenant: r.inTenant(), Limit: choiceLimit})
	if err != nil {
		return f, err
	}
	if list.Total > choiceLimit {
		f.Widget, f.Options, f.Placeholder = widgetText, nil, "id, or empty for all"
		for _, m := range list.Mailboxes {
			f.Suggestions = append(f.Suggestions, m.ID)
		}
		return f, nil
	}
	known := value == ""
	for _, m := range list.Mailboxes {
		f.Options = append(f.Options, option{Value: m.ID, Label: m.Name})
		known = known || m.ID == value
	}
	if !known {
		f.Options = append(f.Options, option{Value: value, Label: clip(value, 60) + " (deleted)"})
	}
	return f, nil
}
