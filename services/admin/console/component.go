package console

import (
	"html/template"
	"net/url"
	"strings"
	"time"
)

// What pages are made of. Each type is what the template of the same name in
// components.html shows; doc.go lists them.

// A badge is a state: an icon, a text and a colour.
type badge struct {
	Tone  tone
	Text  string
	Title string // shown on hover, and read out; may be empty
}

// Icon returns the icon of the badge.
func (b badge) Icon() string { return b.Tone.Icon() }

// A tab is one of several views of the same thing.
type tab struct {
	Label   string
	Path    string
	Current bool
	Count   string // a number behind the label; may be empty
}

// A header is the top of a page: what it shows, and what can be done with it.
type header struct {
	Title   string
	Back    *link // to where this belongs
	Text    string
	Badge   *badge
	Actions []action
}

type link struct{ Label, Path string }

// An action is a button or a link that looks like one. Exactly one of Path,
// Dialog, Load and Post is set.
type action struct {
	Label    string
	Icon     string
	Path     string // a page, or a file to download
	Dialog   string // id of a dialog on the page
	Load     string // path of a dialog, or another part, that is loaded now
	Target   string // where that part goes, "#id"; "": it is a dialog
	Post     string // path that a form is sent to
	Hidden   []pair // values of that form
	Primary  bool
	Danger   bool
	Disabled string // why it cannot be done now; may be empty
}

// A pair is a name and a value.
type pair struct{ Name, Value string }

// An empty stands where there is nothing to show, and says what to do next.
type empty struct {
	Icon   string
	Title  string
	Text   string
	Action *action
}

// A notice is a message that belongs to the page and stays.
type notice struct {
	Tone   tone
	Title  string
	Text   string
	Action *action
}

// A confirm is a dialog that names what will happen before it does.
type confirm struct {
	ID     string // of the dialog, unless it is loaded
	Open   bool   // shown as soon as it is loaded
	Title  string
	Text   string
	Effect []string // what will happen, a line each
	Post   string   // path of the form
	Hidden []pair
	Typed  string // has to be typed first; "": nothing
	What   string // what is to be typed: "the name of the mailbox"
	Submit string // on the button: "Delete mailbox"
	Danger bool
}

// A column is the head of a column of a table.
type column struct {
	Label   string
	Path    string // of the table sorted by it; "": it cannot be
	Sorted  string // "ascending", "descending" or ""
	Numeric bool
	Hidden  bool // the label is for screen readers only
}

// Arrow returns the icon of the order.
func (c column) Arrow() string {
	switch c.Sorted {
	case "ascending":
		return "arrow-up"
	case "descending":
		return "arrow-down"
	}
	return "arrows"
}

// sortable returns the head of a column that can be sorted by: the query's
// "sort" is its name, with - in front for descending.
func sortable(path string, query url.Values, name, label string, standard string) column {
	c := column{Label: label}
	now := query.Get("sort")
	if now == "" {
		now = standard
	}
	next := name
	switch now {
	case name:
		c.Sorted, next = "ascending", "-"+name
	case "-" + name:
		c.Sorted = "descending"
	}
	c.Path = withQuery(path, query, "sort", next, "cursor", "")
	return c
}

// withQuery returns a path with a query in which some values are others; "" takes
// one away.
func withQuery(path string, query url.Values, changes ...string) string {
	q := url.Values{}
	for k, v := range query {
		q[k] = v
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			q.Del(changes[i])
		} else {
			q.Set(changes[i], changes[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// A pager is below a table.
type pager struct {
	First, Last, Total int    // Total 0: not known
	One, Many          string // "mailbox", "mailboxes"
	Previous, Next     string // paths; "": there is none
}

// A selection is the bar above a table while rows are selected. Each action
// loads a dialog, with the ids, or all=1 and the filters of the form.
type selection struct {
	Total   int // rows that match, on all pages; -1: more than are shown, not known how many
	Actions []action
}

// A fact is a line of a list of names and values. Exactly one of Text, Badge,
// Time and HTML is set.
type fact struct {
	Name  string
	Text  string
	Badge *badge
	Time  time.Time
	Code  bool // Text is something literal, to be copied
	Link  string
	Title string        // on hover
	HTML  template.HTML // rendered by a template
}

// namedFact is a fact about what something refers to.
func namedFact(name string, n named) fact {
	return fact{Name: name, Text: n.Text(), Link: n.Path, Title: n.Title(), Code: n.Path == ""}
}

// A difference is a field before and after a change.
type difference struct {
	Field, Before, After string
	Added, Removed       bool
}

// A moment is a line of a timeline.
type moment struct {
	At    time.Time
	Tone  tone
	Title string
	Text  string
	Code  string // verbatim, such as what a server answered
}

// A step is a line of a list of steps that are done one after the other, such as
// those of the doctor.
type step struct {
	ID     string // of the element: the same step is replaced as it goes on
	Tone   tone
	Title  string
	State  string // in words: "running", "skipped"
	Took   time.Duration
	Tried  string
	Answer string // verbatim
	Remedy string
	Facts  []fact
}

// A drop is where a file is dropped or chosen.
type drop struct {
	Name   string
	Label  string
	Help   string
	Accept string // ".eml,message/rfc822"
}

// elementID makes an id of HTML from any text.
func elementID(parts ...string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, strings.ToLower(strings.Join(parts, "-")))
}
