package rest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// everything is what the control database tells, to see that nothing changed.
func (d *desk) everything() string {
	d.t.Helper()
	var all strings.Builder
	for _, path := range []string{"/tenants", "/tenants/acme/folders", "/tenants/acme/mailboxes", "/tenants/acme/mailboxes/info", "/audit?limit=500"} {
		all.Write(d.ask(d.Lena.Token, "GET", path, nil).is(http.StatusOK).body)
	}
	return all.String()
}

func with(doc map[string]any, path string, value any) map[string]any {
	out := map[string]any{}
	for k, v := range doc {
		out[k] = v
	}
	if outer, inner, nested := strings.Cut(path, "."); nested {
		deeper, _ := out[outer].(map[string]any)
		out[outer] = with(deeper, inner, value)
		return out
	}
	out[path] = value
	return out
}

// What is wrong is named by its path, all at once, and nothing is stored.
func TestBadDocumentsAreRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	mailbox := map[string]any{"name": "Info", "folders": []string{"support"}, "username": "info@acme.example", "imap": map[string]any{"host": "imap.acme.example"}, "smtp": map[string]any{"host": "smtp.acme.example"}}
	folder := map[string]any{"name": "Sales", "address": "sales@acme.example"}
	tenant := map[string]any{"name": "Acme"}
	const m, f, c = "/tenants/acme/mailboxes/info", "/tenants/acme/folders/sales", "/tenants/acme"
	before := d.everything()
	long := strings.Repeat("x", 5000)
	tests := []struct {
		path  string
		doc   map[string]any
		field string
		value any
	}{
		{m, mailbox, "name", long}, {m, mailbox, "name", ""}, {m, mailbox, "name", "a\x00b"}, {m, mailbox, "name", "a\r\nBcc: x"}, {m, mailbox, "name", 7}, {m, mailbox, "name", "\u202egnp.exe"},
		{m, mailbox, "description", long}, {m, mailbox, "description", "\x00"},
		{m, mailbox, "username", "info@acme.example\r\nA1 LOGOUT"}, {m, mailbox, "username", long}, {m, mailbox, "username", "a\x00"},
		{m, mailbox, "imap.host", "imap.acme.example\r\n"}, {m, mailbox, "imap.host", long}, {m, mailbox, "imap.host", ""}, {m, mailbox, "imap.host", "<script>"}, {m, mailbox, "imap.host", "a b"},
		{m, mailbox, "imap.port", 0}, {m, mailbox, "imap.port", 65536}, {m, mailbox, "imap.port", "many"}, {m, mailbox, "imap.security", "none"}, {m, mailbox, "imap.prot", 993},
		{m, mailbox, "smtp.host", "x\x00"}, {m, mailbox, "smtp.password", "x"},
		{m, mailbox, "persisted_folder", "a\r\nb"}, {m, mailbox, "persisted_folder", long}, {m, mailbox, "persisted_folder", "\x00"}, {m, mailbox, "inbox", ""},
		{m, mailbox, "max_email_bytes", -1}, {m, mailbox, "connect_retries", 1e9}, {m, mailbox, "import_since", "yesterday"}, {m, mailbox, "unmatched", "no such folder"},
		{m, mailbox, "max_email_size", 1}, {m, mailbox, "id", "other"}, {m, mailbox, "tenant", "rival"}, {m, mailbox, "password", long + long}, {m, mailbox, "password", map[string]any{"env": "HOME"}}, {m, mailbox, "password", map[string]any{"file": "/etc/passwd"}},
		{f, folder, "name", long}, {f, folder, "name", ""}, {f, folder, "name", "a\x00"}, {f, folder, "address", "sales"}, {f, folder, "address", "sales@acme.example\r\nBcc: x@y"},
		{f, folder, "address", "\x00@acme.example"}, {f, folder, "address", long + "@acme.example"}, {f, folder, "aliases", "x"}, {f, folder, "nmae", "x"}, {f, folder, "address", "support@acme.example"},
		{c, tenant, "name", long}, {c, tenant, "name", ""}, {c, tenant, "name", "\x00"}, {c, tenant, "messaging_database", "nowhere"}, {c, tenant, "limits.mailboxes", -1}, {c, tenant, "nmae", "x"},
	}
	for _, test := range tests {
		a := d.ask(d.Lena.Token, "PUT", test.path, with(test.doc, test.field, test.value), header{"If-Match", "*"})
		if test.path == f {
			a = d.ask(d.Lena.Token, "PUT", test.path, with(test.doc, test.field, test.value), header{"If-None-Match", "*"})
		}
		if a.names(test.field); len(a.body) > 4000 {
			t.Errorf("%s %s: the answer repeats what was sent (%d bytes)", test.path, test.field, len(a.body))
		}
	}
	for _, body := range []string{"", "{", "[]", "null", `"x"`, "7", `{"name":"a"} {"name":"b"}`, "{\"name\":\"\xff\"}", strings.Repeat("[", 20000)} {
		for _, path := range []string{m, c} {
			if a := d.ask(d.Lena.Token, "PUT", path, body, header{"If-Match", "*"}); a.status != http.StatusBadRequest && a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s %.30q: %d %s", path, body, a.status, a.body)
			}
		}
	}
	if after := d.everything(); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

// What other documents have already is named with the rest, of every kind.
func TestConflictsAreToldWithTheOtherProblems(t *testing.T) {
	t.Parallel()
	d := open(t)
	before := d.everything()
	for path, c := range map[string]struct {
		doc    map[string]any
		errors []string
	}{
		"/tenants/acme/mailboxes/other": {map[string]any{"name": "INFO", "folders": []string{"nowhere"}, "username": "INFO@acme.example", "imap": map[string]any{"host": "", "port": "many"}, "colour": 1, "enabled": true},
			[]string{"name", "folders[0]", "username", "imap.host", "imap.port", "colour", "password"}},
		"/tenants/acme/mailboxes/info": {map[string]any{"name": "Info", "username": "info@rival.example", "max_items": 0}, []string{"id", "username", "max_items"}},
		"/tenants/acme/folders/other":  {map[string]any{"name": "SUPPORT", "address": "x", "aliases": []string{"Support@acme.example"}}, []string{"name", "address", "aliases[0]"}},
		"/tenants/acme":                {map[string]any{"name": "tenant RIVAL", "limits": map[string]any{"mailboxes": -1}}, []string{"id", "name", "limits.mailboxes"}},
	} {
		a := d.ask(d.Lena.Token, "PUT", path, c.doc, header{"If-None-Match", "*"})
		for _, e := range c.errors {
			a.names(e)
		}
	}
	if after := d.everything(); after != before {
		t.Errorf("something changed:\n%s\n%s", before, after)
	}
}

func TestBadParametersAreRefused(t *testing.T) {
	t.Parallel()
	d := open(t)
	refused := map[string]string{
		"/tenants/acme/mailboxes?limit=many":                         "limit",
		"/tenants/acme/mailboxes?limit=501":                          "limit",
		"/tenants/acme/mailboxes?limt=5":                             "limt",
		"/tenants/acme/mailboxes?sort=colour":                        "sort",
		"/tenants/acme/mailboxes?cursor=x":                           "cursor",
		"/tenants/acme/mailboxes?enabled=perhaps":                    "enabled",
		"/tenants/acme/mailboxes?search=" + strings.Repeat("x", 999): "search",
		"/tenants/acme/mailboxes?search=%00":                         "search",
		"/tenants/acme/mailboxes?search=%ff":                         "search",
		"/tenants/acme/mails?verdict=good":                           "verdict",
		"/tenants/acme/mails?since=yesterday":                        "since",
		"/tenants/acme/mails/x/attachments/first":                    "position",
		"/tenants/acme/dead?before=12":                               "before",
		"/tenants/ac%00me":                                           "tenant",
		"/audit?id=%00":                                              "id",
		"/tenants?tenant=acme":                                       "tenant",
	}
	for path, name := range refused {
		d.ask(d.Lena.Token, "GET", path, nil).names(name)
	}
	bodies := map[string]struct{ body, name string }{
		"/tenants/acme/bulk":                     {`{"action":"explode","ids":["info"]}`, "action"},
		"/tenants/acme/bulk?":                    {`{"action":"disable","ids":["info"],"force":true}`, "force"},
		"/tenants/acme/bulk??":                   {`{"ids":["info"]}`, "action"},
		"/tenants/acme/bulk???":                  {`{"action":"disable","ids":["a\u0000b"]}`, "ids[0]"},
		"/tenants/acme/bulk????":                 {`{"action":"disable","ids":"info"}`, "ids"},
		"/tenants/acme/mailboxes/info/protocol":  {`{"minutes":61}`, "minutes"},
		"/tenants/acme/mailboxes/info/protocol?": {`{"minutes":1.5}`, "minutes"},
		"/tenants/acme/simulate":                 {`{"base64":"%%%"}`, "base64"},
		"/tenants/acme/simulate?":                {`{}`, "text"},
	}
	for path, b := range bodies {
		d.ask(d.Lena.Token, "POST", strings.TrimRight(path, "?"), b.body).names(b.name)
	}
}

func TestWhatIsNoRequestOfREST(t *testing.T) {
	t.Parallel()
	d := open(t)
	token := d.Lena.Token
	for _, path := range []string{"/nothing", "/tenants/acme/nothing", "/tenants/", "/tenants//folders", "/openapi.xml", "/tenants/../../etc/passwd"} {
		if a := d.ask(token, "GET", path, nil); a.status != http.StatusNotFound && a.status != http.StatusTemporaryRedirect && a.status != http.StatusMovedPermanently {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	d.ask("", "GET", "/nothing", nil).problem(http.StatusNotFound)
	a := d.ask(token, "PATCH", "/tenants/acme", "{}")
	a.problem(http.StatusMethodNotAllowed)
	if allow := a.header.Get("Allow"); !strings.Contains(allow, "PUT") {
		t.Errorf("Allow: %s", allow)
	}
	d.ask(token, "GET", "/tenants", nil, header{"Accept", "text/html"}).problem(http.StatusNotAcceptable)
	d.ask(token, "GET", "/tenants", nil, header{"Accept", "application/json;q=0, */*"}).problem(http.StatusNotAcceptable)
	for _, accept := range []string{"*/*", "application/*", "text/html, application/json;q=0.5", "text/html,*/*;q=0.8"} {
		d.ask(token, "GET", "/tenants", nil, header{"Accept", accept}).is(http.StatusOK)
	}
	put := func(status int, body string, headers ...header) {
		t.Helper()
		d.ask(token, "PUT", "/tenants/acme", body, append(headers, header{"If-Match", "*"})...).problem(status)
	}
	put(http.StatusUnsupportedMediaType, `{"name":"A"}`, header{"Content-Type", "text/plain"})
	put(http.StatusUnsupportedMediaType, `name=A`, header{"Content-Type", "application/x-www-form-urlencoded"})
	put(http.StatusRequestEntityTooLarge, `{"name":"`+strings.Repeat("x", 1<<20)+`"}`)
	d.ask(token, "POST", "/tenants/acme/mailboxes/info/disable", `{"x":1}`).problem(http.StatusBadRequest)
	mail, err := json.Marshal(map[string]string{"text": "To: support@acme.example\r\n\r\n" + strings.Repeat("x", 1<<20-100)})
	if err != nil {
		t.Fatal(err)
	}
	d.ask(token, "POST", "/tenants/acme/simulate", mail).is(http.StatusOK)
	d.ask(token, "POST", "/tenants/acme/simulate", `{"text":"`+strings.Repeat("x", 2<<20)+`"}`).problem(http.StatusRequestEntityTooLarge)
	d.ask(token, "PUT", "/tenants/acme/folders/sales", `{"name":"S","address":"s@acme.example"}`, header{"If-None-Match", `"3"`}).problem(http.StatusBadRequest)
}

// No document makes the service fail, and none is stored half.
func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{
		`{"name":"Info","folders":["support"],"username":"info@acme.example","imap":{"host":"imap.acme.example"}}`,
		`{"name":"Sales","address":"sales@acme.example","aliases":["a@b.c"]}`, `{"name":"Acme","limits":{"mailboxes":1}}`, `{}`, `null`, `{"imap":null}`, `{"folders":[1]}`,
		`{"max_email_bytes":"6 MB"}`, `{"password":{"env":"X"}}`, `{"password":7}`, `{"name":"a","name":"b"}`, "{\"name\":\"\xff\\u0000\"}", `{"import_since":"2026-02-30"}`,
	} {
		f.Add(seed)
	}
	office := open(f)
	f.Fuzz(func(t *testing.T, body string) {
		d := &desk{office.Office, t, office.handler}
		for _, path := range []string{"/tenants/acme", "/tenants/acme/folders/support", "/tenants/acme/mailboxes/info"} {
			a := d.ask(d.Lena.Token, "PUT", path, body, header{"If-Match", "*"})
			switch a.status {
			case http.StatusOK:
				read := d.ask(d.Lena.Token, "GET", path, nil)
				if read.status != http.StatusOK || !json.Valid(read.body) {
					t.Errorf("%s took %q, and now reads %d %s", path, body, read.status, read.body)
				}
			case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusConflict, http.StatusRequestEntityTooLarge:
				var p operation.Problem
				if err := json.Unmarshal(a.body, &p); err != nil || p.Status != a.status {
					t.Errorf("%s %q: %s", path, body, a.body)
				}
			default:
				t.Errorf("%s %q: %d %s", path, body, a.status, a.body)
			}
		}
	})
}
