package console

import (
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/admintest"
)

// A deskSite is a console with an office behind it.
type deskSite struct {
	*site
	*admintest.Office
}

func newDeskSite(t testing.TB) deskSite {
	t.Helper()
	s, o := newOfficeSite(t)
	return deskSite{s, o}
}

// read asks and returns the status and the text of the answer.
func (b *browser) read(method, path string, form url.Values, headers ...string) (int, string) {
	b.t.Helper()
	answer := b.do(method, path, form, headers...)
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, string(raw)
}

// desk is the form of a mailbox that can be saved.
func desk() url.Values {
	v := valuesOf(config.DefaultMailbox())
	v.Set("name", "Desk")
	v.Set("id", "desk")
	v.Set("imap.host", "imap.example.org")
	v.Set("username", "desk@acme.example")
	v["folders"] = []string{"support"}
	return v
}

// fieldValue returns what a field of the form shows.
func fieldValue(page, name string) string {
	m := regexp.MustCompile(`name="` + regexp.QuoteMeta(name) + `" value="([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}

func TestEverySettingHasAField(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	_, page := o.as(o.Ann).read("GET", "/t/acme/new-mailbox", nil)
	for _, path := range schemaPaths(t) {
		if !strings.Contains(page, ` name="`+path+`"`) {
			t.Errorf("%s is not on the form", path)
		}
		if labelOf(path) == path {
			t.Errorf("%s has no label", path)
		}
	}
	for _, label := range []string{
		"Name", "Description", "Folders", "Enabled", "IMAP address", "IMAP port", "IMAP secure connection type", "SMTP address", "SMTP port",
		"SMTP secure connection type", "Username", "Password", "Auto connect retries", "Max idle time (sec)", "Max email size in bytes",
		"Max email LW size in bytes", "Max number of items to collect", "Post MSR persisted method", "Post MSR invalid method",
		"Persisted emails folder name", "Invalid emails folder name", "Deleted emails folder name", "Unmatched mail", "Recipients from",
		"Plus addresses", "Import from", "Authentication", "Watched folder",
	} {
		if !strings.Contains(page, ">"+label+"<") {
			t.Errorf("the label %q is missing", label)
		}
	}
}

func TestCreateAndEditAMailbox(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	v := desk()
	v.Set("name", "Help Desk")
	v.Del("id")
	v.Set("password", "s3cret-s3cret")
	v.Set("max_email_bytes", "8 MB")
	v.Set("enabled", "true")
	answer := b.do("POST", "/t/acme/new-mailbox", v)
	if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || to != "/t/acme/mailboxes/help-desk" {
		t.Fatalf("%d to %q", answer.StatusCode, to)
	}
	m, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "help-desk")
	if err != nil || m.Document.MaxEmailBytes != 8_000_000 || !m.Document.Enabled || !m.HasPassword {
		t.Fatalf("%v, %+v", err, m)
	}
	_, page := b.read("GET", "/t/acme/mailboxes/help-desk/edit", nil)
	if strings.Contains(page, "s3cret") || !strings.Contains(page, "Stored. Leave it empty to keep it.") {
		t.Error("the password is shown, or it is not said that there is one")
	}
	v = valuesOf(m.Document)
	v.Set("revision", fieldValue(page, "revision"))
	v.Set("loaded", fieldValue(page, "loaded"))
	v.Set("description", "Changed")
	v.Set("max_items", "51")
	answer = b.do("POST", "/t/acme/mailboxes/help-desk/edit", v, "HX-Request", "true")
	if to := answer.Header.Get("HX-Redirect"); answer.StatusCode != http.StatusNoContent || to != "/t/acme/mailboxes/help-desk" {
		t.Fatalf("%d to %q", answer.StatusCode, to)
	}
	after, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "help-desk")
	want := m.Document
	want.Description, want.MaxItems = "Changed", 51
	if diff := cmp.Diff(want, after.Document); err != nil || diff != "" || !after.HasPassword {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestAStoredPasswordIsAskedForAgainWhenTheServerChanges(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	_, page := b.read("GET", "/t/acme/mailboxes/info/edit", nil)
	m, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "info")
	if err != nil {
		t.Fatal(err)
	}
	v := valuesOf(m.Document)
	v.Set("revision", fieldValue(page, "revision"))
	v.Set("mailbox", "info")
	v.Set("imap.host", "imap.evil.example")
	status, answer := b.read("POST", "/t/acme/mailboxes/info/edit", v)
	if status != http.StatusUnprocessableEntity || !strings.Contains(answer, `id="field-password-problem"`) || !strings.Contains(answer, "must be entered again") {
		t.Errorf("%d: the password is not asked for", status)
	}
	if status, part := b.read("POST", "/t/acme/draft/check", v, "HX-Request", "true"); status != 200 || !strings.Contains(part, "must be entered again, because IMAP address changed") {
		t.Errorf("it is not said before: %d %s", status, part)
	}
	if status, _ := b.read("POST", "/t/acme/draft/doctor", v, "X-Stream", "true"); status != 200 {
		t.Errorf("doctor: %d", status)
	}
}

func TestWhatIsMissingToEnableIsNamedAllAtOnce(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	v := valuesOf(config.DefaultMailbox())
	v.Set("name", "Desk")
	v.Set("enabled", "true")
	v.Set("imap.port", "70000")
	status, page := b.read("POST", "/t/acme/new-mailbox", v)
	if status != http.StatusUnprocessableEntity {
		t.Fatalf("it answers %d", status)
	}
	for _, id := range []string{"field-imap-host", "field-imap-port", "field-username", "field-password", "field-folders"} {
		if !strings.Contains(page, `id="`+id+`-problem"`) || !strings.Contains(page, `href="#`+id+`"`) {
			t.Errorf("%s has no problem, or the summary does not lead to it", id)
		}
	}
	_, part := b.read("POST", "/t/acme/draft/check", v, "HX-Request", "true")
	for _, label := range []string{"Password", "IMAP address", "Username", "Folders"} {
		if !strings.Contains(part, ">"+label+"</a>") {
			t.Errorf("%s is not among what is missing: %s", label, part)
		}
	}
	if _, part := b.read("POST", "/t/acme/draft/check", func() url.Values { v := desk(); v.Set("password", "x"); return v }(), "HX-Request", "true"); !strings.Contains(part, "Nothing is missing") {
		t.Error(part)
	}
}

func TestWithoutAKeyThePasswordIsDisabled(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	o.site.tenant("bare", "Bare")
	_, page := o.as(o.Lena).read("GET", "/t/bare/new-mailbox", nil)
	if !regexp.MustCompile(`id="field-password"[^>]* disabled`).MatchString(page) || !strings.Contains(page, `href="/t/bare/parameters"`) {
		t.Error("the landlord is not led to the Tenant Parameters")
	}
	v := desk()
	v["folders"] = nil
	v.Set("password", "x")
	status, page := o.as(o.Lena).read("POST", "/t/bare/new-mailbox", v)
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, `id="field-password-problem"`) {
		t.Errorf("a password without a key answers %d", status)
	}
	v.Del("password")
	if answer := o.as(o.Lena).do("POST", "/t/bare/new-mailbox", v); answer.StatusCode != http.StatusSeeOther {
		t.Errorf("without a password it answers %d", answer.StatusCode)
	}
}

func TestCopyAMailbox(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	status, page := o.as(o.Ann).read("GET", "/t/acme/new-mailbox?copy=info", nil)
	if status != 200 || fieldValue(page, "name") != "Copy of Info" || fieldValue(page, "imap.host") != "imap.acme.example" || fieldValue(page, "username") != "" || fieldValue(page, "id") != "" {
		t.Errorf("%d: %q %q %q %q", status, fieldValue(page, "name"), fieldValue(page, "imap.host"), fieldValue(page, "username"), fieldValue(page, "id"))
	}
	if status, _ := o.as(o.Ann).read("GET", "/t/acme/new-mailbox?copy=secret-mailbox", nil); status != http.StatusNotFound {
		t.Errorf("a copy of another tenant's mailbox answers %d", status)
	}
}

func TestAnIDThatExistsIsNotOverwritten(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	v := desk()
	v.Set("id", "info")
	status, page := o.as(o.Ann).read("POST", "/t/acme/new-mailbox", v)
	if status != http.StatusUnprocessableEntity || !strings.Contains(page, `id="field-id-problem"`) {
		t.Errorf("it answers %d", status)
	}
	if m, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "info"); err != nil || m.Document.Name != "Info" {
		t.Errorf("%v, %q", err, m.Document.Name)
	}
}

// Beside an id in a path there is never a word: a mailbox may be called as it.
func TestNoIDIsSpecial(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	parts := func(r route) []string {
		method, path, _ := strings.Cut(r.pattern, " ")
		return append([]string{method}, strings.Split(path, "/")...)
	}
	for _, a := range o.console.routes() {
		for _, b := range o.console.routes() {
			x, y := parts(a), parts(b)
			for i := 0; i < min(len(x), len(y)); i++ {
				if strings.HasPrefix(x[i], "{") && x[i] != "{$}" && !strings.HasPrefix(y[i], "{") {
					t.Errorf("%s and %s: an id can be the word", a.pattern, b.pattern)
				}
				if x[i] != y[i] {
					break
				}
			}
		}
	}
	v := desk()
	v.Set("id", "new")
	v.Set("name", "New")
	if status, _ := o.as(o.Ann).read("POST", "/t/acme/new-mailbox", v); status != http.StatusSeeOther {
		t.Errorf("a mailbox called new answers %d", status)
	}
	for _, path := range []string{"/t/acme/mailboxes/new", "/t/acme/mailboxes/new/edit"} {
		if status, page := o.as(o.Ann).read("GET", path, nil); status != http.StatusOK || !strings.Contains(page, "desk@acme.example") {
			t.Errorf("%s answers %d without the mailbox", path, status)
		}
	}
}

func TestAnEditThatIsStaleShowsTheDifference(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	_, page := b.read("GET", "/t/acme/mailboxes/info/edit", nil)
	before, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "info")
	if err != nil {
		t.Fatal(err)
	}
	theirs := before.Document
	theirs.Description, theirs.MaxItems = "<i>Theirs</i>", 60
	if _, err := o.Control.PutMailbox(t.Context(), o.Lena.Actor, theirs, before.Revision); err != nil {
		t.Fatal(err)
	}
	mine := valuesOf(before.Document)
	mine.Set("revision", fieldValue(page, "revision"))
	mine.Set("loaded", fieldValue(page, "loaded"))
	mine.Set("mailbox", "info")
	mine.Set("description", "Mine")
	mine.Set("max_light_bytes", "20 kB")
	mine.Set("password", "typed-password")
	status, page := b.read("POST", "/t/acme/mailboxes/info/edit", mine)
	if status != http.StatusConflict || strings.Contains(page, "typed-password") || strings.Contains(page, "<i>Theirs") {
		t.Fatalf("it answers %d, or shows what it must not", status)
	}
	for _, want := range []string{"Changed meanwhile by lena", "&lt;i&gt;Theirs&lt;/i&gt;", ">Mine<", "20 kB (20,000 bytes)", "changed by both", "look that it is still in its field"} {
		if !strings.Contains(page, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	// What nobody but the other touched is theirs already, the rest is mine.
	if fieldValue(page, "max_items") != "60" || fieldValue(page, "description") != "Mine" || fieldValue(page, "max_light_bytes") != "20 kB" {
		t.Errorf("the form has %q, %q, %q", fieldValue(page, "max_items"), fieldValue(page, "description"), fieldValue(page, "max_light_bytes"))
	}
	again := mine
	again.Set("revision", fieldValue(page, "revision"))
	again.Set("loaded", fieldValue(page, "loaded"))
	again.Set("max_items", fieldValue(page, "max_items"))
	again.Del("password")
	if answer := b.do("POST", "/t/acme/mailboxes/info/edit", again); answer.StatusCode != http.StatusSeeOther {
		t.Fatalf("saving on top answers %d", answer.StatusCode)
	}
	after, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "info")
	if err != nil || after.Document.Description != "Mine" || after.Document.MaxItems != 60 || after.Document.MaxLightBytes != 20_000 {
		t.Errorf("%v, %+v", err, after.Document)
	}
}

func TestAReaderSeesTheSettingsAndNoForm(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Rita)
	status, page := b.read("GET", "/t/acme/mailboxes/info/edit", nil)
	if status != 200 || strings.Contains(page, "mailbox-form") || strings.Contains(page, "<textarea") || !strings.Contains(page, "Max email LW size in bytes") || !strings.Contains(page, "info@acme.example") {
		t.Errorf("%d: there is a form, or the settings are missing", status)
	}
	for _, r := range o.console.mailboxFormRoutes() {
		method, path, _ := strings.Cut(strings.NewReplacer("{tenant}", "acme", "{mailbox}", "info").Replace(r.pattern), " ")
		if method == "GET" && strings.HasSuffix(path, "/edit") || strings.HasSuffix(path, "/draft/check") {
			continue // reading is allowed
		}
		if status, _ := b.read(method, path, desk()); status != http.StatusForbidden {
			t.Errorf("%s answers %d", r.pattern, status)
		}
	}
}

func TestMailboxesOfAnotherTenantDoNotExist(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	v := desk()
	v.Set("mailbox", "secret-mailbox")
	for _, r := range o.console.mailboxFormRoutes() {
		for _, names := range [][3]string{{"rival", "nobody", "secret-mailbox"}, {"acme", "acme", "secret-mailbox"}} {
			ask := func(tenant, mailbox string) (int, string) {
				method, path, _ := strings.Cut(strings.NewReplacer("{tenant}", tenant, "{mailbox}", mailbox).Replace(r.pattern), " ")
				v.Set("mailbox", mailbox)
				status, page := b.read(method, path, v)
				return status, strings.NewReplacer(tenant, "TENANT", mailbox, "MAILBOX").Replace(page)
			}
			if names[0] == "acme" && (strings.HasSuffix(r.pattern, "/new-mailbox") || strings.HasSuffix(r.pattern, "/draft/provider")) {
				continue // one's own
			}
			status, page := ask(names[0], names[2])
			if _, missing := ask(names[1], "not-there-at-all"); status != http.StatusNotFound || page != missing {
				t.Errorf("%s of %s answers %d, or not as what does not exist", r.pattern, names[0], status)
			}
		}
	}
	if _, err := o.Control.GetMailbox(t.Context(), o.Lena.Actor, "rival", "desk"); !errors.Is(err, control.ErrNotFound) {
		t.Errorf("something was stored: %v", err)
	}
}

func TestPasswordsAreNeitherShownNorLogged(t *testing.T) {
	t.Parallel()
	o := newDeskSite(t)
	b := o.as(o.Ann)
	const typed = "unmistakable-pass-word"
	v := desk()
	v.Set("password", typed)
	v.Set("imap.port", "0")
	for _, path := range []string{"/t/acme/new-mailbox", "/t/acme/draft/check", "/t/acme/draft/doctor", "/t/acme/draft/dry-run", "/t/acme/draft/server-folders", "/t/acme/draft/provider"} {
		for _, port := range []string{"0", "993"} {
			v.Set("imap.port", port)
			if _, page := b.read("POST", path, v, "HX-Request", "true"); strings.Contains(page, typed) {
				t.Errorf("%s shows the password", path)
			}
		}
	}
	for _, e := range o.Logs.All() {
		for _, f := range e.Context {
			if strings.Contains(f.String, typed) {
				t.Errorf("the password is in the log: %s", e.Message)
			}
		}
	}
	if m, err := o.Control.GetMailbox(t.Context(), o.Ann.Actor, "acme", "desk"); err != nil || !m.HasPassword {
		t.Errorf("it was not saved: %v", err)
	}
}
