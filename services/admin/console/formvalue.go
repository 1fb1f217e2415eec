package console

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// inTenant names the tenant of the page to an operation.
func (r *request) inTenant() operation.InTenant {
	return operation.InTenant{Tenant: r.tenant.Document.ID}
}

// based says what the form's change is based on: the revision that it was
// rendered with, or, without one, nothing that exists yet.
func (r *request) based() operation.Condition {
	revision := r.PostFormValue("revision")
	if revision == "" {
		return operation.Condition{IfNoneMatch: "*"}
	}
	return operation.Condition{IfMatch: `"` + revision + `"`}
}

// typed reports whether a name was typed to confirm. Spaces around it do not
// matter.
func (r *request) typed(name string) error {
	if strings.TrimSpace(r.PostFormValue("typed")) == strings.TrimSpace(name) {
		return nil
	}
	return operation.Invalid(config.Problem{Path: "typed", Message: "is not " + strconv.Quote(name) + "; nothing was done"})
}

// formSize reads a size that a person typed, in bytes.
func formSize(path, text string) (int64, config.Problems) {
	n, err := config.ParseSize(text)
	if err != nil {
		return 0, config.Problems{{Path: path, Message: err.Error()}}
	}
	return n, nil
}

// formNumber reads a whole number that a person typed.
func formNumber(path, text string) (int, config.Problems) {
	n, err := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(text), ",", ""))
	if err != nil {
		return 0, config.Problems{{Path: path, Message: strconv.Quote(clip(text, 40)) + " is not a whole number"}}
	}
	return n, nil
}

// formLines splits the text of an area into its lines, without empty ones.
func formLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// revisionOf is the hidden field of a form or a dialog that r.based reads.
func revisionOf(revision string) []pair {
	return []pair{{"revision", revision}}
}

// documentJSON writes a document for an operation.
func documentJSON(doc any) (json.RawMessage, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("writing a document of a form: %w", err)
	}
	return raw, nil
}

// retype shows what was typed instead of what is stored, but for passwords.
func (f *form) retype(typed url.Values) {
	for g := range f.Groups {
		for i := range f.Groups[g].Fields {
			field := &f.Groups[g].Fields[i]
			switch {
			case field.Widget == widgetPassword, field.Disabled != "":
			case field.Widget == widgetChecks:
				field.Values = typed[field.Name]
			default:
				field.Value = typed.Get(field.Name)
			}
		}
	}
	if revision := typed.Get("revision"); revision != "" {
		f.Revision = revision // what the change was made on
	}
}
