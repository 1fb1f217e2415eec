package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// deadLetterRoutes are the pages of what a stage gave up.
func (c *console) deadLetterRoutes() []route {
	return []route{
		{pattern: "GET /t/{tenant}/dead-letters", handle: c.deadLetters},
		{pattern: "GET /t/{tenant}/dead-letters/{letter}", handle: c.deadLetter},
		{pattern: "GET /t/{tenant}/settle/replay", handle: c.confirmReplaying},
		{pattern: "POST /t/{tenant}/settle/replay", handle: c.replayLetters, long: true},
		{pattern: "GET /t/{tenant}/settle/drop", handle: c.confirmDropping},
		{pattern: "POST /t/{tenant}/settle/drop", handle: c.dropLetters, long: true},
	}
}

// deadAudit is the kind of audit entries about dead letters.
const deadAudit = "dead-letter"

// deadLettersView is the list of dead letters.
type deadLettersView struct {
	Header    header
	Path      string
	Filters   []field
	Any       bool
	Write     bool
	Selection selection
	Hidden    []pair // the filters
	Letters   []letterRow
	Newest    string
	Older     string
	Empty     empty
}

type letterRow struct {
	operation.DeadLetter
	Path  string
	Box   named  // the mailbox
	Mail  string // path of the mail, if it was stored; "": it was not
	Name  string // of the mail
	Badge badge
	Cause string
}

func (c *console) deadLetters(r *request) error {
	query, path := r.URL.Query(), r.path("dead-letters")
	mailbox, err := r.mailboxChoice("Any mailbox", query.Get("mailbox"))
	if err != nil {
		return err
	}
	stages := []option{{Value: "", Label: "Any stage"}}
	for _, s := range []schemas.Stage{schemas.StageFetcher, schemas.StageClassifier, schemas.StagePersister, schemas.StageDisposer} {
		stages = append(stages, option{Value: string(s), Label: stageName(s)})
	}
	mailbox.Attributes = []pair{{"data-submit", ""}}
	stage := field{Name: "stage", Label: "Stage", Widget: widgetSelect, Options: stages, Value: query.Get("stage"), Attributes: mailbox.Attributes}
	in := operation.ListDeadLetters{InTenant: r.inTenant(), Mailbox: strings.TrimSpace(query.Get("mailbox")), Stage: schemas.Stage(query.Get("stage")), Before: query.Get("before")}
	v := deadLettersView{
		Header: header{
			Title: "Dead letters", Text: "What a stage gave up after several attempts, with all that it takes to try it again.",
			Actions: []action{{Label: "Audit", Icon: "history", Path: withQuery(r.path("audit"), nil, "kind", deadAudit)}},
		},
		Path: path, Filters: []field{mailbox, stage}, Any: in.Mailbox != "" || in.Stage != "", Write: r.mayWrite(),
		Selection: selection{Total: -1, Actions: []action{
			{Label: "Replay", Icon: "repeat", Load: r.path("settle", "replay")},
			{Label: "Drop", Icon: "trash", Danger: true, Load: r.path("settle", "drop")},
		}},
		Empty: empty{Icon: "check-circle", Title: "No dead letters", Text: "When a stage cannot get a mail through for a reason of ours, it tries again with growing pauses. What fails every time becomes a dead letter and waits here with its whole context; the mail stays in the inbox. There is none."},
	}
	if v.Any {
		v.Empty = empty{Icon: "search", Title: "No dead letter matches", Text: "There is none of this mailbox and stage.", Action: &action{Label: "Show all", Path: path}}
	}
	if in.Stage == "" || isStage(in.Stage) {
		list, err := r.desk.ListDeadLetters(r.Context(), r.actor, &in)
		if err != nil {
			return err
		}
		names, err := r.namesIn(r.tenant.Document.ID)
		if err != nil {
			return err
		}
		for _, l := range list.Letters {
			v.Letters = append(v.Letters, r.letterRow(l, names))
		}
		v.Hidden = r.letterHidden(settlement{})
		if list.Next == "" && in.Before == "" {
			v.Selection.Total = len(list.Letters)
		}
		if list.Next != "" {
			v.Older = withQuery(path, query, "before", list.Next)
		}
		if in.Before != "" {
			v.Newest = withQuery(path, query, "before", "")
		}
	} else {
		v.Filters[1].Problems = []string{strconv.Quote(clip(string(in.Stage), 40)) + " is no stage; choose one of the list"}
		r.invalid()
	}
	return r.page("dead-letters", page{Title: "Dead letters", Section: sectionDeadLetters}, v)
}

// letter reads a dead letter.
func (r *request) letter(id string) (operation.DeadLetter, error) {
	return r.desk.GetDeadLetter(r.Context(), r.actor, &operation.GetDeadLetter{InDeadLetter: operation.InDeadLetter{InTenant: r.inTenant(), ID: id}})
}

func (r *request) letterRow(l operation.DeadLetter, names nameLists) letterRow {
	row := letterRow{
		DeadLetter: l, Path: r.path("dead-letters", l.ID), Box: names.mailbox(r.tenant.Document.ID, l.Mailbox),
		Name: aboutText(l), Badge: stageBadge(l.Stage), Cause: plainLine(l.Error),
	}
	if l.MailID != "" && l.Stage == schemas.StageDisposer { // the stages before it store nothing
		row.Mail = r.path("mails", l.MailID)
	}
	return row
}

// aboutText names the mails that a dead letter is about.
func aboutText(l operation.DeadLetter) string {
	switch n := strings.Count(l.UIDs, ",") + 1; {
	case l.UIDs == "":
		return "no mail"
	case n == 1:
		return "UID " + l.UIDs
	default:
		return plural(n, "mail", "mails")
	}
}

func isStage(s schemas.Stage) bool { return stageName(s) != "" }

func stageName(s schemas.Stage) string {
	switch s {
	case schemas.StageFetcher:
		return "Fetcher"
	case schemas.StageClassifier:
		return "Classifier"
	case schemas.StagePersister:
		return "Persister"
	case schemas.StageDisposer:
		return "Disposer"
	}
	return ""
}

// stageBadge names the stage that gave up.
func stageBadge(s schemas.Stage) badge {
	b := badge{Tone: toneBad, Text: stageName(s)}
	switch s {
	case schemas.StageFetcher:
		b.Title = "It could not be downloaded"
	case schemas.StageClassifier:
		b.Title = "Its folders could not be decided"
	case schemas.StagePersister:
		b.Title = "It could not be stored"
	case schemas.StageDisposer:
		b.Title = "It is stored, but could not be moved or deleted on the mail server"
	default:
		b.Text = string(s)
	}
	return b
}

// letterView is one dead letter.
type letterView struct {
	Header  header
	Error   string
	Facts   []fact
	Headers []pair // of the message that was given up
	Text    string
	Cut     string
	Dialogs []confirm
}

func (c *console) deadLetter(r *request) error {
	l, err := r.letter(r.PathValue("letter"))
	if err != nil {
		return err
	}
	names, err := r.namesIn(r.tenant.Document.ID)
	if err != nil {
		return err
	}
	id, row := l.ID, r.letterRow(l, names)
	v := letterView{
		Header: header{
			Title: "Dead letter: " + row.Name + " of " + row.Box.Text(), Back: &link{"Dead letters", r.path("dead-letters")}, Badge: &row.Badge, Text: sentence(row.Badge.Title),
			Actions: []action{{Label: "Audit", Icon: "history", Path: withQuery(r.path("audit"), url.Values{}, "kind", deadAudit, "id", id)}},
		},
		Error: row.Cause, Headers: messageHeaders(l.Data.Header),
	}
	v.Facts = []fact{
		{Name: "Given up", Time: l.At},
		{Name: "Attempts", Text: countText(l.Attempts)},
		namedFact("Mailbox", row.Box),
		{Name: "Mails", Text: row.Name + " of UIDVALIDITY " + strconv.FormatUint(uint64(l.UIDValidity), 10)},
		{Name: "Mail id", Text: l.MailID, Code: l.MailID != "" && row.Mail == "", Link: row.Mail},
		{Name: "Replayed to", Text: l.OriginalSubject, Code: true},
	}
	if strings.Contains(l.UIDs, ",") {
		v.Facts = append(v.Facts, fact{Name: "UIDs", Text: strings.ReplaceAll(clip(l.UIDs, 400), ",", ", ")})
	}
	if l.Text == "" && len(l.Data.Payload) > 0 {
		v.Cut = sizeText(int64(len(l.Data.Payload))) + " that are no text."
	} else if text, cut := cutText(l.Text, shownText); text != "" {
		if v.Text = mailText(text); cut {
			v.Cut = "The first " + sizeText(int64(len(text))) + " of " + sizeText(int64(len(l.Text))) + "."
		}
	}
	if r.mayWrite() {
		replay, drop := r.letterDialog(settlement{do: "replay", ids: []string{id}}), r.letterDialog(settlement{do: "drop", ids: []string{id}})
		replay.ID, replay.Open, drop.ID, drop.Open = "replay", false, "drop", false
		v.Dialogs = []confirm{replay, drop}
		v.Header.Actions = append([]action{{Label: "Replay", Icon: "repeat", Dialog: "replay", Primary: true}, {Label: "Drop", Icon: "trash", Danger: true, Dialog: "drop"}}, v.Header.Actions...)
	}
	return r.page("dead-letter", page{Title: v.Header.Title, Section: sectionDeadLetters}, v)
}

// messageHeaders are the headers of a message in the order of their names.
// Nothing secret is known to be in them; what is named so is hidden all the same.
func messageHeaders(h map[string][]string) []pair {
	var list []pair
	for name, values := range h {
		value := plainLine(strings.Join(values, ", "))
		low := strings.ToLower(name)
		for _, word := range []string{"authorization", "password", "secret", "token", "cookie", "credential"} {
			if strings.Contains(low, word) {
				value = "hidden"
			}
		}
		list = append(list, pair{plainLine(name), clip(value, 2000)})
	}
	slices.SortFunc(list, func(a, b pair) int { return strings.Compare(a.Name, b.Name) })
	return list
}
