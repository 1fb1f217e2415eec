package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

const (
	// bulkLimit is the most octets of a form that names mailboxes: 10,000 of the
	// longest ids.
	bulkLimit = 2 << 20
	// namedRows is how much of what was chosen a dialog names.
	namedRows = 5
	// testedAtOnce is how many mailboxes are tested before their outcomes are
	// shown.
	testedAtOnce = 8
)

// bulkActions are what can be done with the chosen rows of a list.
func (r *request) bulkActions(matching int, q url.Values) *selection {
	at := func(a operation.BulkAction) string {
		return withQuery(r.path("bulk"), q, "do", string(a), "cursor", "")
	}
	return &selection{Total: matching, Actions: []action{
		{Label: "Enable", Icon: "play", Load: at(operation.BulkEnable)},
		{Label: "Disable", Icon: "pause", Load: at(operation.BulkDisable)},
		{Label: "Test", Icon: "stethoscope", Load: at(operation.BulkTest)},
		{Label: "Delete", Icon: "trash", Danger: true, Load: at(operation.BulkDelete)},
	}}
}

// bulkOf reads which mailboxes a form means: those that it names, or all that
// its filter selects.
func (r *request) bulkOf() operation.BulkMailboxes {
	in := operation.BulkMailboxes{InTenant: r.inTenant(), Body: operation.Bulk{Action: operation.BulkAction(r.FormValue("do"))}}
	if r.FormValue("all") != "" {
		filter := mailboxFilter(r.Form)
		in.Body.Filter = &filter
	} else {
		in.Body.IDs = r.Form["id"]
	}
	return in
}

// plan says which mailboxes an action would be about, without doing anything.
func (r *request) plan(in operation.BulkMailboxes) (operation.BulkResult, error) {
	in.Body.DryRun = true
	return r.desk.BulkMailboxes(r.Context(), r.actor, &in)
}

// confirmBulk asks whether what the bar was told is meant.
func (c *console) confirmBulk(r *request) error {
	in := r.bulkOf()
	if in.Body.Filter == nil && len(in.Body.IDs) == 0 {
		return operation.Invalid(config.Problem{Message: "choose at least one mailbox first"})
	}
	plan, err := r.plan(in)
	if err != nil {
		return err
	}
	if len(plan.Results) == 0 {
		return &operation.Problem{Title: "Nothing chosen", Status: http.StatusConflict, Detail: "No mailbox matches any more. Look at the list again."}
	}
	hidden := r.bulkHidden(in, plan)
	if in.Body.Action == operation.BulkTest {
		return r.part("bulk-test", bulkTestView{Names: namesOf(bulkNames(plan.Results), len(plan.Results)), Count: len(plan.Results), Post: r.path("bulk", "test"), Hidden: hidden, Limit: r.doctorLimit()})
	}
	return r.part("confirm", r.bulkConfirm(in.Body.Action, plan, hidden))
}

// bulkHidden carries through a dialog which mailboxes are meant, and what the
// list shows.
func (r *request) bulkHidden(in operation.BulkMailboxes, plan operation.BulkResult) []pair {
	hidden := []pair{{"do", string(in.Body.Action)}, {"count", strconv.Itoa(len(plan.Results))}}
	if in.Body.Filter != nil {
		hidden = append(hidden, pair{"all", "1"})
	} else {
		for _, o := range plan.Results {
			hidden = append(hidden, pair{"id", o.ID})
		}
	}
	for k, values := range listQuery(r.Form) {
		for _, v := range values {
			hidden = append(hidden, pair{k, v})
		}
	}
	return hidden
}

// bulkConfirm names what will happen.
func (r *request) bulkConfirm(a operation.BulkAction, plan operation.BulkResult, hidden []pair) confirm {
	n := len(plan.Results)
	what := plural(n, "mailbox", "mailboxes")
	d := confirm{Open: true, Post: r.path("bulk"), Hidden: hidden, Text: namesOf(bulkNames(plan.Results), len(plan.Results)) + "."}
	switch a {
	case operation.BulkEnable:
		d.Title, d.Submit = "Enable "+what+"?", "Enable "+what
		d.Effect = []string{
			"Mail is taken from their inboxes from now on, and moved or deleted there as each mailbox says.",
			"Those that lack a prerequisite stay as they are. You are told which, and why.",
		}
	case operation.BulkDisable:
		d.Title, d.Submit = "Disable "+what+"?", "Disable "+what
		d.Effect = []string{
			"No more mail is taken from their inboxes. It waits there until they are enabled again.",
			"Mail that is in flight ends well.",
		}
	case operation.BulkDelete:
		d.Title, d.Submit, d.Danger = "Delete "+what+"?", "Delete "+what, true
		d.Effect = append(deletionEffect(plan.Waiting, plan.InFlight, plan.Parked), "What is stored of their mail stays in the messaging database.", "Their settings and passwords are deleted. Until their mail in flight has ended, only that can still use them.")
		d.Typed, d.What = strconv.Itoa(n), "how many they are"
	}
	return d
}

// namesOf names the first few of n things.
func namesOf(names []string, n int) string {
	text := ""
	for i, name := range names[:min(len(names), namedRows)] {
		switch {
		case i == 0:
		case i == n-1:
			text += " and "
		default:
			text += ", "
		}
		text += name
	}
	if more := n - min(len(names), namedRows); more > 0 {
		text += " and " + countText(more) + " more"
	}
	return text
}

func bulkNames(list []operation.BulkOutcome) []string {
	names := make([]string, len(list))
	for i, o := range list {
		names[i] = bulkName(o)
	}
	return names
}

func bulkName(o operation.BulkOutcome) string {
	if o.Name == "" {
		return o.ID
	}
	return clip(o.Name, 60)
}

// bulkResult says what became of many mailboxes.
type bulkResult struct {
	Tone   tone
	Title  string
	Failed []bulkFailure
	Close  string
}

type bulkFailure struct{ Name, Path, Why string }

// bulk does one thing with many mailboxes. What could not be done with one is
// said above the list.
func (c *console) bulk(r *request) error {
	in := r.bulkOf()
	in.Body.Count, _ = strconv.Atoi(r.PostFormValue("count")) // 0 is never right
	if in.Body.Action == operation.BulkTest {
		return operation.Invalid(config.Problem{Path: "do", Message: "is a test, which has its own dialog"})
	}
	if in.Body.Action == operation.BulkDelete {
		if err := r.typed(strconv.Itoa(in.Body.Count)); err != nil {
			return err
		}
	}
	out, err := r.desk.BulkMailboxes(r.Context(), r.actor, &in)
	if err != nil {
		return err
	}
	query := listQuery(r.PostForm)
	query.Del("cursor")
	did := bulkDone(out.Action)
	if out.Failed == 0 {
		r.tell(toneOK, "%s %s.", plural(out.Done, "mailbox is", "mailboxes are"), did)
		return r.redirect(withQuery(r.path("mailboxes"), query))
	}
	now, err := r.mailboxesNow(query)
	if err != nil {
		return err
	}
	now.Result = &bulkResult{Tone: toneWarn, Title: fmt.Sprintf("%s %s, %s not.", plural(out.Done, "mailbox is", "mailboxes are"), did, countText(out.Failed)), Close: now.Path}
	if out.Done == 0 {
		now.Result.Tone, now.Result.Title = toneBad, fmt.Sprintf("None of %s is %s.", plural(out.Failed, "mailbox", "mailboxes"), did)
	}
	for _, o := range out.Results {
		if !o.OK {
			now.Result.Failed = append(now.Result.Failed, r.bulkFailure(o))
		}
	}
	return r.mailboxesPage(now)
}

func (r *request) bulkFailure(o operation.BulkOutcome) bulkFailure {
	f := bulkFailure{Name: bulkName(o), Path: r.path("mailboxes", o.ID)}
	for _, e := range o.Problem.Errors {
		f.Why += sentence(e.Message) + " "
	}
	if f.Why == "" {
		f.Why = sentence(o.Problem.Error())
	}
	return f
}

func bulkDone(a operation.BulkAction) string {
	switch a {
	case operation.BulkEnable:
		return "enabled"
	case operation.BulkDisable:
		return "disabled"
	}
	return "deleted"
}
