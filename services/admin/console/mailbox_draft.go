package console

import (
	"encoding/json"
	"errors"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/secret"
	schema "github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// dateField is the form value of the day in import_since; importDate is the
// choice of it.
const (
	dateField  = "import_since_date"
	importDate = "date"
)

// A draft is a mailbox as it stands in a form: the document, the password if one
// was typed, and what of it cannot be read.
type draft struct {
	doc      config.Mailbox
	password secret.String
	problems config.Problems
}

// settings calls do for every setting of a mailbox, by its path.
func settings(doc *config.Mailbox, do func(path string, v reflect.Value)) {
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if f := v.Field(i); f.Kind() == reflect.Struct {
				walk(prefix+name+".", f)
			} else {
				do(prefix+name, f)
			}
		}
	}
	walk("", reflect.ValueOf(doc).Elem())
}

// isSize reports whether a setting is a size, which is typed with a unit.
func isSize(path string) bool { return strings.HasSuffix(path, "_bytes") }

// valuesOf returns a mailbox as the values of a form.
func valuesOf(doc config.Mailbox) url.Values {
	v := url.Values{}
	settings(&doc, func(path string, f reflect.Value) {
		switch f.Kind() {
		case reflect.Slice:
			v[path] = slices.Clone(f.Interface().([]string))
		case reflect.Bool:
			if f.Bool() {
				v.Set(path, "true")
			}
		case reflect.Int, reflect.Int64:
			if v.Set(path, strconv.FormatInt(f.Int(), 10)); isSize(path) {
				v.Set(path, config.FormatSize(f.Int()))
			}
		default:
			v.Set(path, f.String())
		}
	})
	if s := doc.ImportSince; s != schema.ImportAll && s != schema.ImportNew {
		v.Set("import_since", importDate)
		v.Set(dateField, s)
	}
	return v
}

// readDraft reads what was typed. What is no number stays as it is by default,
// with a problem. A text that is the saved one but for spaces and line ends,
// which browsers change, stays as it is saved.
func readDraft(tenant, id string, v url.Values, saved config.Mailbox) draft {
	d := draft{doc: config.DefaultMailbox(), password: secret.NewString(v.Get("password"))}
	defaults := valuesOf(d.doc)
	settings(&d.doc, func(path string, f reflect.Value) {
		text := plainText(v.Get(path))
		switch f.Kind() {
		case reflect.Slice:
			f.Set(reflect.ValueOf(append([]string{}, v[path]...)))
		case reflect.Bool:
			if f.SetBool(text == "true"); text != "" && text != "true" {
				d.add(path, "must be true, or left out")
			}
		case reflect.Int, reflect.Int64:
			if text == "" && path != "imap.port" {
				text = defaults.Get(path)
			}
			n, message := number(path, text)
			if message != "" {
				d.add(path, message)
				return
			}
			f.SetInt(n)
		default:
			if text == "" && !typedText(path) {
				text = defaults.Get(path)
			}
			f.SetString(text)
		}
	})
	before := map[string]string{}
	settings(&saved, func(path string, f reflect.Value) {
		if f.Kind() == reflect.String {
			before[path] = f.String()
		}
	})
	settings(&d.doc, func(path string, f reflect.Value) {
		if f.Kind() == reflect.String && f.String() != "" && plainText(before[path]) == f.String() {
			f.SetString(before[path])
		}
	})
	d.doc.Tenant, d.doc.ID = tenant, id
	if d.doc.ImportSince == importDate {
		d.doc.ImportSince = strings.TrimSpace(v.Get(dateField))
		if d.doc.ImportSince == "" {
			d.doc.ImportSince = schema.ImportAll
			d.add("import_since", "choose the day")
		}
	}
	return d
}

// plainText is a text without the spaces around it, with one kind of line end.
func plainText(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }

// typedText reports whether a setting is text that can be empty; of the others
// an absent one has its default.
func typedText(path string) bool {
	switch path {
	case "name", "description", "username", "imap.host", "imap.ca", "smtp.host", "smtp.ca",
		"persisted_folder", "invalid_folder", "deleted_folder", "inbox":
		return true
	}
	return false
}

// number reads a number or a size; the message says what is wrong with it.
func number(path, text string) (n int64, message string) {
	if text == "" {
		return 0, "is required"
	}
	if isSize(path) {
		n, problems := formSize(path, strings.NewReplacer(",", "", "_", "").Replace(text))
		if len(problems) > 0 {
			return 0, problems[0].Message
		}
		return n, ""
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, ",", ""), 10, strconv.IntSize)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return 0, strconv.Quote(clip(text, 40)) + " is out of range"
	case err != nil:
		return 0, strconv.Quote(clip(text, 40)) + " is not a whole number"
	}
	return n, ""
}

func (d *draft) add(path, message string) {
	d.problems = append(d.problems, config.Problem{Path: path, Message: message})
}

// json returns the document as operations take it, with the password if one was
// typed.
func (d draft) json() (operation.MailboxJSON, error) {
	raw, err := json.Marshal(struct {
		config.Mailbox
		Password string `json:"password,omitempty"`
	}{d.doc, d.password.Reveal()})
	return operation.MailboxJSON{RawMessage: raw}, err
}

// merge adds problems of other paths than those that are known already.
func (d *draft) merge(more config.Problems) {
	for _, p := range more {
		if p.Path == "encryption_key" { // a parameter of the tenant, which the password lacks
			p.Path = "password"
		}
		known := slices.ContainsFunc(d.problems, func(q config.Problem) bool { return q.Path == p.Path })
		if !known {
			d.problems = append(d.problems, p)
		}
	}
}

// slug proposes an id from a name; mailbox.js does the same while one types.
func slug(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(strings.ReplaceAll(name, "ß", "ss"))) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.Is(unicode.M, r):
		default:
			if s := b.String(); s != "" && s[len(s)-1] != '-' {
				b.WriteByte('-')
			}
		}
	}
	id := b.String()
	return strings.Trim(id[:min(len(id), 63)], "-")
}
