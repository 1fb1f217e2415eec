package console

import (
	"net/http"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
)

// A form is what the template "form-open" begins and "form-close" ends: fields
// with the problems that the operation found, each beside its field.
type form struct {
	ID       string
	Post     string // path that it is sent to
	Revision string // that the shown values are of; "": something new
	Username string // whose password it holds, for password managers
	Guard    bool   // leaving it with unsaved changes asks first
	Submit   string
	Cancel   string // path; "": there is nothing to go back to
	Detail   string // what is wrong with the whole
	Problems config.Problems
	Groups   []fieldset
}

// A fieldset is a group of fields.
type fieldset struct {
	Title  string
	Text   string
	Fields []field
	Closed bool // shown on demand: what is seldom changed
}

// A widget is how a field is filled in.
type widget string

const (
	widgetText     widget = "text"
	widgetPassword widget = "password"
	widgetNumber   widget = "number"
	widgetSize     widget = "size" // "6 MB"; the bytes are shown as one types
	widgetArea     widget = "area"
	widgetSelect   widget = "select"
	widgetRadio    widget = "radio"
	widgetChecks   widget = "checks"
	widgetSwitch   widget = "switch"
	widgetDate     widget = "date"
)

// A field is a label, a control, and all that is told about it.
type field struct {
	Name        string // of the form value, and the path of its problems: "imap.port"
	Label       string
	Widget      widget // "": text
	Value       string
	Values      []string // of checks
	Options     []option
	Suggestions []string // offered, others may be typed
	Unit        string   // "seconds"
	Default     string
	Range       string // "1 to 65535"
	Help        string
	Required    bool
	Disabled    string // why; may be empty
	Placeholder string
	Complete    string // of autocomplete; "": off
	Rows        int    // of an area
	Wide        bool
	Code        bool   // monospaced
	Attributes  []pair // data-…, hx-…: see the template
	Problems    []string
}

// An option of a select, of radio buttons or checks.
type option struct {
	Value, Label, Help string
}

// ID returns the id of the control.
func (f field) ID() string { return elementID("field", f.Name) }

// Described returns the ids of what describes the control.
func (f field) Described() string {
	var ids []string
	if len(f.Problems) > 0 {
		ids = append(ids, f.ID()+"-problem")
	}
	if f.Help != "" || f.Default != "" || f.Range != "" || f.Disabled != "" {
		ids = append(ids, f.ID()+"-help")
	}
	return strings.Join(ids, " ")
}

// Notes returns range and default in one line.
func (f field) Notes() string {
	var notes []string
	if f.Range != "" {
		notes = append(notes, sentence(f.Range))
	}
	if f.Default != "" {
		notes = append(notes, sentence("Default "+f.Default))
	}
	return strings.Join(notes, " ")
}

// Has reports whether a value of checks is chosen.
func (f field) Has(value string) bool {
	for _, v := range f.Values {
		if v == value {
			return true
		}
	}
	return false
}

// refuse puts what an operation found wrong with the input into the form. It
// returns false for every other error: the caller returns that.
func (f *form) refuse(err error) bool {
	p := problemOf(err)
	switch p.Status {
	case http.StatusBadRequest, http.StatusConflict, http.StatusPreconditionFailed, http.StatusUnprocessableEntity, http.StatusTooManyRequests:
	default:
		return false
	}
	f.Problems = p.Errors
	if len(p.Errors) == 0 {
		f.Detail = sentence(p.Detail)
	}
	f.distribute()
	return true
}

// distribute hands every problem to its field: that of the same path, or of the
// list or object that the path is in. What no field takes stands at the top.
func (f *form) distribute() {
	var rest []string
	for _, p := range f.Problems {
		if !f.hand(p) {
			text := p.Message
			if p.Path != "" {
				text = p.Path + ": " + text
			}
			rest = append(rest, text)
		}
	}
	if len(rest) > 0 {
		f.Detail = strings.TrimSpace(f.Detail + " " + sentence(strings.Join(rest, "; ")))
	}
}

func (f *form) hand(p config.Problem) bool {
	for g := range f.Groups {
		for i := range f.Groups[g].Fields {
			field := &f.Groups[g].Fields[i]
			if p.Path == field.Name || strings.HasPrefix(p.Path, field.Name+"[") {
				field.Problems = append(field.Problems, p.Message)
				f.Groups[g].Closed = false
				return true
			}
		}
	}
	return false
}

// Invalid returns the fields that have problems, for the summary on top.
func (f *form) Invalid() []field {
	var list []field
	for _, g := range f.Groups {
		for _, field := range g.Fields {
			if len(field.Problems) > 0 {
				list = append(list, field)
			}
		}
	}
	return list
}
