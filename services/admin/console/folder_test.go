package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

func TestFolderIsCreatedFromItsName(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	ann := s.as(o.Ann)
	form := url.Values{"name": {"Verkauf & Büro"}, "id": {""}, "address": {" sales@acme.example "}, "aliases": {"one@acme.example\r\n\r\n two@acme.example \n"}, "description": {"x"}}
	if to := ann.do(http.MethodPost, "/t/acme/folders", form).Header.Get("Location"); to != "/t/acme/folders" {
		t.Fatalf("leads to %q", to)
	}
	f, err := s.control.GetFolder(t.Context(), o.Ann.Actor, "acme", "verkauf-buro")
	if err != nil {
		t.Fatal(err)
	}
	if f.Document.Address != "sales@acme.example" || strings.Join(f.Document.Aliases, " ") != "one@acme.example two@acme.example" {
		t.Errorf("%+v", f.Document)
	}
	_, html := ann.get("/t/acme/folders?q=verkauf")
	if !strings.Contains(html, "Verkauf &amp; Büro") || !strings.Contains(html, "two@acme.example") || !strings.Contains(html, "1 folder of 2") {
		t.Error(html)
	}
}

func TestProblemsOfAFolderStandBesideItsFields(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	ann := s.as(o.Ann)
	for name, c := range map[string]struct {
		form url.Values
		want []string
	}{
		"nothing":       {url.Values{}, []string{"field-name-problem", "field-address-problem"}},
		"no address":    {url.Values{"name": {"Sales"}, "address": {"nonsense"}, "aliases": {"also nonsense"}}, []string{"field-address-problem", "field-aliases-problem", `value="Sales"`, "also nonsense"}},
		"the same id":   {url.Values{"name": {"Support"}, "id": {"support"}, "address": {"x@acme.example"}}, []string{"exists already; choose another id"}},
		"the same name": {url.Values{"name": {"SUPPORT"}, "id": {"other"}, "address": {"x@acme.example"}}, []string{"field-name-problem"}},
		"all at once":   {url.Values{"name": {"SUPPORT"}, "id": {"other"}, "address": {"nonsense"}, "aliases": {"support@acme.example"}}, []string{"field-name-problem", "field-address-problem", "is an address of folder support"}},
		"and the id":    {url.Values{"name": {"Support"}, "id": {"support"}, "address": {"nonsense"}}, []string{"field-address-problem", "exists already; choose another id"}},
		"a bad id":      {url.Values{"name": {"Sales"}, "id": {"../x"}, "address": {"x@acme.example"}}, []string{"field-id-problem"}},
	} {
		answer := ann.do(http.MethodPost, "/t/acme/folders", c.form)
		html := text(t, answer)
		if answer.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s answers %d", name, answer.StatusCode)
		}
		for _, want := range c.want {
			if !strings.Contains(html, want) {
				t.Errorf("%s: %q is missing in %s", name, want, html)
			}
		}
	}
}

func TestConcurrentEditOfAFolderIsNoticed(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	ann := s.as(o.Ann)
	_, html := ann.get("/t/acme/folders/at/support")
	value := func(name string) string {
		_, rest, _ := strings.Cut(html, `name="`+name+`" value="`)
		v, _, _ := strings.Cut(rest, `"`)
		return strings.NewReplacer("&#34;", `"`, "&#43;", "+").Replace(v)
	}
	form := url.Values{"revision": {value("revision")}, "loaded": {value("loaded")}, "name": {"Mine"}, "address": {"support@acme.example"}}
	theirs := config.Folder{Tenant: "acme", ID: "support", Name: "Theirs", Address: "support@acme.example"}
	if _, err := s.control.PutFolder(t.Context(), o.Lena.Actor, theirs, 0); err != nil {
		t.Fatal(err)
	}
	answer := ann.do(http.MethodPost, "/t/acme/folders/at/support", form)
	html = text(t, answer)
	if answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("answers %d", answer.StatusCode)
	}
	for _, want := range []string{"Somebody else saved it meanwhile", "<del>Support</del>", "<ins>Theirs</ins>", `value="Mine"`} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is missing", want)
		}
	}
	form.Set("revision", value("revision"))
	if answer := ann.do(http.MethodPost, "/t/acme/folders/at/support", form); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("saving on top of theirs answers %d", answer.StatusCode)
	}
}

func TestDeletionOfAFolderSaysWhoUsesIt(t *testing.T) {
	t.Parallel()
	s, o := newOfficeSite(t)
	if _, err := s.control.PutFolder(t.Context(), o.Ann.Actor, config.Folder{Tenant: "acme", ID: "sales", Name: "Sales", Address: "sales@acme.example"}, control.IfNew); err != nil {
		t.Fatal(err)
	}
	putMailbox(t, o, "only", func(d *config.Mailbox) { d.Enabled = true })
	putMailbox(t, o, "both", func(d *config.Mailbox) { d.Enabled, d.Folders = true, []string{"support", "sales"} })
	ann := s.as(o.Ann)
	_, html := ann.get("/t/acme/folders/at/support/delete", partOf("dialog")...)
	for _, want := range []string{"3 mailboxes use it: ", "Mailbox both", "1 mailbox has no other folder and will be disabled: Mailbox only.", `data-typed="Support"`, `name="force"`} {
		if !strings.Contains(html, want) {
			t.Errorf("%q is missing: %s", want, html)
		}
	}
	f, err := s.control.GetFolder(t.Context(), o.Ann.Actor, "acme", "support")
	if err != nil {
		t.Fatal(err)
	}
	form := url.Values{"revision": {o.Revision("acme", f.Revision)}, "force": {"1"}}
	path := "/t/acme/folders/at/support/delete"
	if answer := ann.do(http.MethodPost, path, form); answer.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("without its name typed it answers %d", answer.StatusCode)
	}
	form.Del("force")
	if answer := ann.do(http.MethodPost, path, form); answer.StatusCode != http.StatusConflict {
		t.Errorf("without force it answers %d", answer.StatusCode)
	}
	form.Set("force", "1")
	form.Set("typed", "Support")
	if answer := ann.do(http.MethodPost, path, form); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("answers %d", answer.StatusCode)
	}
	m, err := s.control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "only")
	if err != nil || m.Document.Enabled {
		t.Errorf("%+v, %v", m.Document, err)
	}
	if _, html = ann.get("/t/acme/folders/at/sales/delete", partOf("dialog")...); !strings.Contains(html, "1 mailbox uses it: Mailbox both.") {
		t.Error(html)
	}
}
