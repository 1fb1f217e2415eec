package console

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

// Every field refuses what it cannot hold, beside itself, with the rest of the
// form as it was typed, and nothing is stored.
func TestEveryFieldRefusesBadInputBesideItself(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	bad := map[string]string{
		"HTML":      `"><script>alert(1)</script>`,
		"NUL":       "a\x00b",
		"CRLF":      "a\r\nBcc: x@example.org",
		"bidi":      "a\u202eb\u2066c",
		"not UTF-8": "a\xff\xfeb",
		"over-long": strings.Repeat("ü", 9000),
	}
	// What is text for people may be anything that can be seen; it is escaped.
	free := []string{"name", "description", "username", "persisted_folder", "invalid_folder", "deleted_folder", "inbox", "password"}
	for _, path := range append(schemaPaths(t), dateField) {
		for what, text := range bad {
			v := desk()
			v.Set("password", "a-good-one")
			if what == "over-long" && strings.HasSuffix(path, ".ca") {
				text = strings.Repeat("x", 300_000)
			}
			beside := path
			switch path {
			case "folders":
				v["folders"] = []string{"support", text}
			case dateField:
				v.Set("import_since", importDate)
				v.Set(path, text)
				beside = "import_since"
			default:
				v.Set(path, text)
			}
			status, page := b.read("POST", "/t/acme/new-mailbox", v)
			if strings.Contains(page, "<script>alert") || strings.Contains(page, "a-good-one") {
				t.Fatalf("%s, %s: it stands in the page as it was typed", path, what)
			}
			if slices.Contains(free, path) && what == "HTML" || path == "password" && what == "bidi" {
				o.remove(t, status, path+", "+what)
				continue
			}
			if id := (field{Name: beside}).ID(); status != http.StatusUnprocessableEntity || !strings.Contains(page, `id="`+id+`-problem"`) || !strings.Contains(page, `href="#`+id+`"`) {
				t.Errorf("%s, %s: it answers %d, without a problem beside the field", path, what, status)
			}
			if path != "name" && fieldValue(page, "name") != "Desk" || path != "imap.host" && fieldValue(page, "imap.host") != "imap.example.org" {
				t.Errorf("%s, %s: what else was typed is lost", path, what)
			}
			if _, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "desk"); !errors.Is(err, control.ErrNotFound) {
				t.Fatalf("%s, %s: it was stored: %v", path, what, err)
			}
		}
	}
}

// remove checks that the mailbox was stored, and deletes it.
func (o deskSite) remove(t *testing.T, status int, what string) {
	t.Helper()
	if status != http.StatusSeeOther {
		t.Errorf("%s answers %d; it can be stored", what, status)
		return
	}
	if _, page := o.as(o.Ann).read("GET", "/t/acme/mailboxes/desk/edit", nil); strings.Contains(page, "<script>alert") {
		t.Errorf("%s is not escaped", what)
	}
	if _, page := o.as(o.Rita).read("GET", "/t/acme/mailboxes/desk/edit", nil); strings.Contains(page, "<script>alert") {
		t.Errorf("%s is not escaped for readers", what)
	}
	if err := o.Control.DeleteMailbox(t.Context(), o.Ann.Actor, "acme", "desk", 0); err != nil {
		t.Fatal(err)
	}
}

// What others have already is said together with what is wrong by itself.
func TestANameInUseIsToldWithTheOtherProblems(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	v := desk()
	v.Set("name", "INFO")
	v.Set("username", "Secret@Rival.example")
	if _, err := o.Control.PutMailbox(t.Context(), o.Lena.Actor, func() config.Mailbox {
		doc := config.DefaultMailbox()
		doc.Tenant, doc.ID, doc.Name, doc.Username = "rival", "another", "Another", "secret@rival.example"
		doc.IMAP.Host = "imap.rival.example"
		return doc
	}(), control.IfNew); err != nil {
		t.Fatal(err)
	}
	want := func(status int, page string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if status != http.StatusUnprocessableEntity || !strings.Contains(page, text) {
				t.Errorf("it answers %d without %s", status, text)
			}
		}
	}
	both := []string{`id="field-name-problem"`, "mailbox info has this name", `id="field-username-problem"`, "is in use"}
	for path, text := range map[string]string{"imap.port": "a lot", "max_items": "5000", "import_since": "yesterday"} {
		v := maps.Clone(v)
		v.Set(path, text)
		status, page := o.as(o.Ann).read("POST", "/t/acme/new-mailbox", v)
		want(status, page, append(both, `id="`+(field{Name: path}).ID()+`-problem"`)...)
	}
	v.Set("id", "info")
	v.Set("name", "Another")
	status, page := o.as(o.Ann).read("POST", "/t/acme/new-mailbox", v)
	want(status, page, "mailbox info exists already; choose another id", "is in use")
}

func TestNumbersOutOfRangeAreRefused(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	v := desk()
	doc := config.DefaultMailbox()
	var paths []string
	settings(&doc, func(path string, f reflect.Value) {
		if f.CanInt() {
			paths = append(paths, path)
		}
	})
	for _, text := range []string{"-1", "99999999999999999999999", "1e3", "0x10", "٣"} {
		for _, path := range paths {
			v.Set(path, text)
		}
		status, page := b.read("POST", "/t/acme/new-mailbox", v)
		for _, path := range paths {
			if status != http.StatusUnprocessableEntity || !strings.Contains(page, `id="`+(field{Name: path}).ID()+`-problem"`) {
				t.Errorf("%s: %q answers %d", path, text, status)
			}
		}
	}
}

func TestHostileHiddenFieldsDoNoHarm(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	m, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "info")
	if err != nil {
		t.Fatal(err)
	}
	for _, hidden := range []url.Values{
		{"revision": {"1"}, "loaded": {`{"name":`}},
		{"revision": {"99999999"}, "loaded": {`{"name": 7, "folders": {"a": 1}}`}},
		{"revision": {"x<script>alert(1)"}, "loaded": {`{"description":"<script>alert(1)</script>"}`}},
		{"revision": {"0"}},
	} {
		v := valuesOf(m.Document)
		for k := range hidden {
			v[k] = hidden[k]
		}
		v.Set("description", "Changed")
		status, page := b.read("POST", "/t/acme/mailboxes/info/edit", v)
		if status != http.StatusConflict || strings.Contains(page, "<script>alert") {
			t.Errorf("%v answers %d", hidden, status)
		}
	}
	// Without a revision it would be something new, and is not.
	if status, _ := b.read("POST", "/t/acme/mailboxes/info/edit", valuesOf(m.Document)); status < 400 || status >= 500 {
		t.Errorf("without a revision it answers %d", status)
	}
	after, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "info")
	if err != nil || after.Revision != m.Revision {
		t.Errorf("something was stored: %v", err)
	}
	huge := url.Values{"name": {strings.Repeat("x", mailboxLimit)}}
	if status, _ := b.read("POST", "/t/acme/new-mailbox", huge); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a form over the limit answers %d", status)
	}
}
