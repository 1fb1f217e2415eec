package config

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/secret"
)

// hostile is what is refused in every text of every document.
var hostile = map[string]string{
	"over-long":           strings.Repeat("a", 300_000),
	"over-long, Unicode":  strings.Repeat("ä", 300_000),
	"header injection":    "x\r\nBcc: all@example.org",
	"line feed":           "a\nb",
	"NUL":                 "a\x00b",
	"escape":              "a\x1b[31mb",
	"C1 control":          "a\u0085b",
	"line separator":      "a\u2028b",
	"bidi override":       "a\u202eb",
	"bidi isolate":        "a\u2066b",
	"zero-width space":    "a\u200bb",
	"byte order mark":     "\ufeffab",
	"soft hyphen":         "a\u00adb",
	"Hangul filler":       "a\u3164b",
	"tag character":       "a\U000e0041b",
	"private use":         "a\ue000b",
	"noncharacter":        "a\uffffb",
	"broken surrogate":    "a\ufffdb",
	"invalid UTF-8":       "a\xffb",
	"space in front":      " ab",
	"only spaces":         "   ",
	"no-break space last": "ab\u00a0",
}

// optional are the texts that may be empty.
var optional = map[string]bool{
	"description": true, "username": true, "smtp.host": true, "imap.ca": true, "smtp.ca": true,
}

// A text is one string field of a document, by path.
type text struct {
	path string
	set  func(string)
}

// texts returns every string of a document, given by pointer, also in lists, so
// that a new field is not forgotten.
func texts(path string, v reflect.Value) (list []text) {
	switch v.Kind() {
	case reflect.String:
		return []text{{path, v.SetString}}
	case reflect.Struct:
		for i := range v.NumField() {
			key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			list = append(list, texts(join(path, key), v.Field(i))...)
		}
	case reflect.Slice:
		for i := range v.Len() {
			list = append(list, texts(element(path, i), v.Index(i))...)
		}
	}
	return list
}

// documents returns, by kind, what makes a valid document, and what checks it.
func documents() map[string]func() (any, func() Problems) {
	return map[string]func() (any, func() Problems){
		"tenant": func() (any, func() Problems) {
			d := DefaultTenant()
			d.ID, d.Name = "acme", "Acme"
			return &d, func() Problems { return ValidateTenant(d) }
		},
		"folder": func() (any, func() Problems) {
			d := Folder{Tenant: "acme", ID: "sales", Name: "Sales", Address: "sales@acme.example", Aliases: []string{"shop@acme.example"}}
			return &d, func() Problems { return ValidateFolder(d) }
		},
		"mailbox": func() (any, func() Problems) {
			d := DefaultMailbox()
			d.Tenant, d.ID, d.Name, d.Username = "acme", "support", "Support", "support@acme.example"
			d.Folders, d.IMAP.Host = []string{"sales"}, "imap.example.com"
			return &d, func() Problems { return ValidateMailbox(d) }
		},
	}
}

func TestHostileTextIsRefusedInEveryField(t *testing.T) {
	t.Parallel()
	for kind, document := range documents() {
		d, check := document()
		if p := check(); len(p) > 0 {
			t.Fatalf("the %s to begin with: %v", kind, p)
		}
		fields := texts("", reflect.ValueOf(d).Elem())
		if len(fields) < 3 {
			t.Fatalf("the %s has %d texts", kind, len(fields))
		}
		for i := range fields {
			for what, value := range hostile {
				d, check := document()
				field := texts("", reflect.ValueOf(d).Elem())[i]
				field.set(value)
				wantOneLine(t, kind+": "+what, field.path, check())
			}
			d, check := document()
			field := texts("", reflect.ValueOf(d).Elem())[i]
			field.set("")
			if p := check(); p.has(field.path) == optional[field.path] {
				t.Errorf("%s: empty %s: %v", kind, field.path, p)
			}
		}
	}
}

// wantOneLine wants a problem at the path, fit to be shown, logged and put into
// a header.
func wantOneLine(t *testing.T, what, path string, problems Problems) {
	t.Helper()
	if !problems.has(path) {
		t.Errorf("%s in %s is accepted; problems: %v", what, path, problems)
	}
	for _, p := range problems {
		if s := p.String(); len(s) > 1000 || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return isControl(r) || isUnseen(r) && r != utf8.RuneError }) {
			t.Errorf("%s in %s: the problem %.200q is not fit to be shown", what, path, s)
		}
	}
}

// HTML and the scripts of the world are text like any other; whoever shows it
// escapes it.
func TestFreeTextIsKeptAsItIs(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'; DROP TABLE mailboxes; --`, `{{.}} ${x} %s \n`,
		"日本語の名前", "قسم الدعم", "Ünïcödé", "❤️", "a\u3000b", strings.Repeat("名", maxName),
	} {
		m := DefaultMailbox()
		m.Tenant, m.ID, m.Name, m.Description, m.IMAP.Host, m.Folders = "acme", "support", s, s, "imap.example.com", []string{}
		raw, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		got, p := DecodeMailbox(raw, DefaultMailbox())
		if len(p) > 0 || got.Name != s || got.Description != s {
			t.Errorf("%q came back as %q: %v", s, got.Name, p)
		}
	}
	m := DefaultMailbox()
	m.Tenant, m.ID, m.Name, m.IMAP.Host, m.Description = "acme", "support", "Support", "imap.example.com", "می\u200cخواهم 👨\u200d👩\u200d👧"
	if p := ValidateMailbox(m); len(p) > 0 {
		t.Errorf("joiners in a description: %v", p)
	}
}

func TestHostilePasswordsAreRefusedUnquoted(t *testing.T) {
	t.Parallel()
	for what, value := range map[string]string{
		"over-long": strings.Repeat("s3cret", 2000), "NUL": "s3cret\x00", "line end": "s3cret\r\nA1 LOGOUT", "invalid UTF-8": "s3cret\xff", "broken": "s3cret\ufffd", "empty": "",
	} {
		err := CheckPassword(secret.NewString(value))
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, ref := range []string{`{"env": "A\u0000B"}`, `{"env": "A\nB"}`, `{"file": "a\u202eb"}`, `{"file": "` + strings.Repeat("a", 5000) + `"}`} {
		_, _, problems := TakePassword([]byte(`{"password": ` + ref + `}`))
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Path, "password.") {
			t.Errorf("%.50s: %v", ref, problems)
		}
	}
}

func TestHostileDocumentsAreRefusedBriefly(t *testing.T) {
	t.Parallel()
	var keys []string
	for i := range 10_000 {
		keys = append(keys, fmt.Sprintf(`"k%d": 1`, i))
	}
	for what, raw := range map[string]string{
		"too large":       `{"name": "` + strings.Repeat("a", maxDocument) + `"}`,
		"too deep":        strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000),
		"many keys":       `{` + strings.Join(keys, ",") + `}`,
		"key with a NUL":  `{"na\u0000me": "x"}`,
		"key in a bidi":   `{"\u202ename": "x"}`,
		"invalid UTF-8":   "{\"name\": \"\xff\"}",
		"half a document": `{"name": "x`,
		"nothing":         ``,
		"a list":          `[]`,
		"huge number":     `{"max_items": 1e999999999}`,
	} {
		_, problems := DecodeMailbox([]byte(raw), DefaultMailbox())
		if len(problems) == 0 || len(problems) > maxProblems+20 || len(problems.Error()) > 40_000 {
			t.Errorf("%s: %d problems in %d bytes", what, len(problems), len(problems.Error()))
		}
		for _, p := range problems {
			if strings.ContainsFunc(p.String(), isControl) {
				t.Errorf("%s: %q", what, p)
			}
		}
	}
}

func FuzzDecodeTenant(f *testing.F) {
	f.Add([]byte(`{"id":"acme","name":"Acme","limits":{"mailboxes":3}}`))
	f.Add([]byte(`{"id":"acme","name":"\u202e<b>","limits":{"mail_per_day":9e99}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		roundTrip(t, raw, DefaultTenant(), DecodeTenant, ValidateTenant)
	})
}

func FuzzDecodeFolder(f *testing.F) {
	f.Add([]byte(`{"tenant":"acme","id":"sales","name":"Sales","address":"sales@acme.example","aliases":["shop@acme.example"]}`))
	f.Add([]byte(`{"tenant":"acme","id":"sales","name":"\ud800","address":"\"a b\"@[127.0.0.1]","aliases":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		roundTrip(t, raw, Folder{}, DecodeFolder, ValidateFolder)
	})
}

func FuzzTakePassword(f *testing.F) {
	f.Add([]byte(`{"name":"x","password":"correct horse"}`))
	f.Add([]byte(`{"password":{"env":"A"}}`))
	f.Add([]byte(`{"password":[{}],"password":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rest, password, problems := TakePassword(raw)
		if len(problems) > 0 {
			return
		}
		if _, again, more := TakePassword(rest); again != nil || len(more) > 0 {
			t.Errorf("%q still holds a password, or is broken: %v", rest, more)
		}
		if password != nil && !password.Plain.IsZero() && CheckPassword(password.Plain) != nil {
			t.Error("a bad password was accepted")
		}
	})
}

// roundTrip decodes a document. What is accepted is valid, and comes back the
// same when it is written and read again.
func roundTrip[T any](t *testing.T, raw []byte, base T, decode func([]byte, T) (T, Problems), validate func(T) Problems) {
	t.Helper()
	d, problems := decode(raw, base)
	for _, p := range problems {
		if p.Message == "" || strings.ContainsFunc(p.String(), isControl) {
			t.Errorf("the message %q does not fit one line", p)
		}
	}
	if len(problems) > 0 {
		return
	}
	if p := validate(d); len(p) > 0 {
		t.Errorf("accepted what is not valid: %v", p)
	}
	written, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	again, problems := decode(written, base)
	if rewritten, err := json.Marshal(again); err != nil || len(problems) > 0 || string(rewritten) != string(written) {
		t.Errorf("%s came back as %s: %v, %v", written, rewritten, problems, err)
	}
}
