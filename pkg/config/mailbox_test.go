package config

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

const whole = `{
	"tenant": "acme", "id": "support", "name": "Support", "folders": ["sales", "help"],
	"imap": {"host": "imap.example.com"}, "username": "support@example.com"
}`

// with returns the whole mailbox with the given keys set (JSON merge patch).
func with(t testing.TB, patch string) []byte {
	t.Helper()
	var doc, p map[string]any
	if err := json.Unmarshal([]byte(whole), &doc); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(patch), &p); err != nil {
		t.Fatalf("%s: %v", patch, err)
	}
	for k, v := range p {
		if v == nil {
			delete(doc, k)
		} else {
			doc[k] = v
		}
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestMailboxHasTheDefaultsOfTheManual(t *testing.T) {
	t.Parallel()
	m, problems := DecodeMailbox([]byte(whole), DefaultMailbox())
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := DefaultMailbox()
	want.Tenant, want.ID, want.Name, want.Username = "acme", "support", "Support", "support@example.com"
	want.Folders, want.IMAP.Host = []string{"sales", "help"}, "imap.example.com"
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if m.IMAP.Port != 993 || m.MaxIdleSeconds != 360 || m.PersistedFolder != "PersistedCCSPItems" || m.Enabled {
		t.Errorf("defaults differ from the manual: %+v", m)
	}
}

// Every rule of a mailbox, with the message that an administrator reads.
func TestMailboxProblems(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 201)
	for _, test := range []struct{ patch, want string }{
		{`{"imap": {"host": "h", "port": 70000}}`, "imap.port: 70000 is not a port (1-65535)"},
		{`{"imap": {"host": "h", "port": 0}}`, "imap.port: 0 is not a port (1-65535)"},
		{`{"smtp": {"port": -1}}`, "smtp.port: -1 is not a port (1-65535)"},
		{`{"imap": {"host": "h", "port": "993"}}`, "imap.port: is text, not a number"},
		{`{"imap": {"host": "h", "port": 993.5}}`, "imap.port: 993.5 is not a whole number"},
		{`{"imap": {"host": "h", "port": 1e30}}`, "imap.port: 1e+30 is out of range"},
		{`{"imap": {"host": "h", "prot": 1}}`, "imap.prot: is not a known key"},
		{`{"maxItems": 1}`, "maxItems: is not a known key; did you mean max_items?"},
		{`{"password": "x"}`, "password: is not a known key"},
		{`{"imap": 1}`, "imap: is a number, not an object"},
		{`{"folders": "sales"}`, "folders: is text, not a list"},
		{`{"folders": ["sales", 7]}`, "folders[1]: is a number, not text; put it in quotes"},
		{`{"enabled": "yes"}`, "enabled: is text, not true or false"},
		{`{"name": null}`, "name: is required"},
		{`{"name": ""}`, "name: is required"},
		{`{"name": "` + long + `"}`, "name: has 201 characters; at most 200 are allowed"},
		{`{"name": "a\u0000b"}`, "name: holds a control character"},
		{`{"name": " a"}`, "name: begins or ends with a space"},
		{`{"description": "a\u001bb"}`, "description: holds a control character"},
		{`{"username": "a\r\nb"}`, "username: holds a control character"},
		{`{"tenant": "Acme"}`, `tenant: "Acme" is not an id: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`},
		{`{"id": null}`, "id: is required"},
		{`{"id": "-a"}`, `id: "-a" is not an id: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`},
		{`{"id": "` + strings.Repeat("a", 64) + `"}`, `id: "` + strings.Repeat("a", 64) + `" is not an id: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`},
		{`{"imap": null}`, "imap.host: is required"},
		{`{"imap": {"host": "imaps://h/x"}}`, `imap.host: "imaps://h/x" is not a host name or an address; give only the host, without a protocol or a path`},
		{`{"imap": {"host": "h:993"}}`, `imap.host: "h:993" is not a host name or an address; give the port in its own field`},
		{`{"imap": {"host": "[::1]"}}`, `imap.host: "[::1]" is not a host name or an address; give an IPv6 address without brackets`},
		{`{"imap": {"host": "a@b"}}`, `imap.host: "a@b" is not a host name or an address; give the mail server, not an email address`},
		{`{"imap": {"host": "10.0.0.256"}}`, `imap.host: "10.0.0.256" is not a host name or an address`},
		{`{"imap": {"host": "a b"}}`, `imap.host: "a b" is not a host name or an address`},
		{`{"imap": {"host": "a..b"}}`, `imap.host: "a..b" is not a host name or an address`},
		{`{"imap": {"host": "h", "security": "ssl"}}`, `imap.security: "ssl" is not one of auto, ssl-on-connect, start-tls`},
		{`{"smtp": {"security": ""}}`, `smtp.security: "" is not one of auto, ssl-on-connect, start-tls`},
		{`{"imap": {"host": "h", "ca": "x"}}`, "imap.ca: is not PEM: no -----BEGIN CERTIFICATE----- block found"},
		{`{"smtp": {"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}}`, "smtp.ca: is not a certificate: block 1 cannot be parsed"},
		{`{"smtp": {"ca": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}}`, "smtp.ca: holds a private key; give only the certificate of the authority"},
		{`{"auth": "oauth2"}`, "auth: oauth2 is not available yet; use password"},
		{`{"auth": "plain"}`, `auth: "plain" is not one of password`},
		{`{"connect_retries": 101}`, "connect_retries: 101 is out of range (0-100)"},
		{`{"connect_retries": -1}`, "connect_retries: -1 is out of range (0-100)"},
		{`{"max_idle_seconds": 9}`, "max_idle_seconds: 9 is out of range (10-86400 seconds)"},
		{`{"max_idle_seconds": 86401}`, "max_idle_seconds: 86401 is out of range (10-86400 seconds)"},
		{`{"max_items": 0}`, "max_items: 0 is out of range (1-1000)"},
		{`{"max_items": 1001}`, "max_items: 1001 is out of range (1-1000)"},
		{`{"max_email_bytes": 250000001}`, "max_email_bytes: 250000001 is out of range (1-250000000 bytes)"},
		{`{"max_email_bytes": 0}`, "max_email_bytes: 0 is not a size above 0 bytes"},
		{`{"max_light_bytes": -5}`, "max_light_bytes: -5 is not a size above 0 bytes"},
		{`{"max_light_bytes": 6000001}`, "max_light_bytes: 6000001 exceeds max_email_bytes (6000000)"},
		{`{"persisted_method": "copy"}`, `persisted_method: "copy" is not one of move, delete`},
		{`{"invalid_method": ""}`, `invalid_method: "" is not one of move, delete`},
		{`{"persisted_folder": "Inbox"}`, `persisted_folder: "Inbox" must differ from INBOX (upper and lower case are the same here)`},
		{`{"invalid_folder": "persistedccspitems"}`, `invalid_folder: "persistedccspitems" must differ from persisted_folder (upper and lower case are the same here)`},
		{`{"deleted_folder": "Gelöscht", "invalid_folder": "GELO\u0308SCHT"}`, `deleted_folder: "Gelöscht" must differ from invalid_folder (upper and lower case are the same here)`},
		{`{"deleted_folder": "Incoming", "inbox": "incoming"}`, `deleted_folder: "Incoming" must differ from inbox (upper and lower case are the same here)`},
		{`{"deleted_folder": ""}`, "deleted_folder: is required"},
		{`{"inbox": ""}`, "inbox: is required"},
		{`{"unmatched": "other"}`, `unmatched: "other" is neither invalid nor one of the mailbox's folders`},
		{`{"recipients": "to"}`, `recipients: "to" is not one of auto, headers, envelope`},
		{`{"folders": ["a", "b", "a"]}`, "folders[2]: a stands twice"},
		{`{"folders": ["A"]}`, `folders[0]: "A" is not an id: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`},
		{`{"enabled": true, "folders": []}`, "folders: no folder is chosen, without which the mailbox cannot be enabled"},
		{`{"enabled": true, "username": ""}`, "username: the Username is not set, without which the mailbox cannot be enabled"},
		{`{"enabled": true, "imap": {}}`, "imap.host: is required"},
		{`{"import_since": "yesterday"}`, `import_since: "yesterday" is not all, new or a date (YYYY-MM-DD)`},
		{`{"import_since": "9999-01-01"}`, "import_since: 9999-01-01 is in the future"},
	} {
		_, problems := DecodeMailbox(with(t, test.patch), DefaultMailbox())
		if problems.Error() != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.patch, problems, test.want)
		}
	}
}

func TestMailboxValuesThatAreRight(t *testing.T) {
	t.Parallel()
	for _, patch := range []string{
		`{"folders": []}`, `{"username": null}`, `{"unmatched": "help"}`, `{"import_since": "new"}`, `{"import_since": "2020-02-29"}`,
		`{"imap": {"host": "10.0.0.1"}}`, `{"imap": {"host": "2001:db8::1"}}`, `{"imap": {"host": "IMAP.Bücher.example"}}`,
		`{"imap": {"host": "xn--bcher-kva.example"}}`, `{"imap": {"host": "localhost"}}`, `{"imap": {"host": "my_dovecot-1"}}`,
		`{"max_light_bytes": 6000000}`, `{"max_email_bytes": 6e7}`, `{"connect_retries": 0}`, `{"id": "0"}`,
		`{"persisted_folder": "Archiv/Gespeichert", "name": "Straße 🚀"}`, `{"smtp": {"host": "smtp.example.com", "port": 465, "security": "ssl-on-connect"}}`,
	} {
		if _, problems := DecodeMailbox(with(t, patch), DefaultMailbox()); len(problems) > 0 {
			t.Errorf("%s: %v", patch, problems)
		}
	}
}

func TestImportSinceTodayAnywhere(t *testing.T) {
	t.Parallel()
	m, _ := DecodeMailbox([]byte(whole), DefaultMailbox())
	for day, want := range map[string]bool{"2026-03-10": true, "2026-03-11": true /* in Auckland it is */, "2026-03-12": false} {
		m.ImportSince = day
		if got := len(validateMailbox(m, now)) == 0; got != want {
			t.Errorf("%s accepted: %v, want %v", day, got, want)
		}
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	t.Parallel()
	_, problems := DecodeMailbox([]byte(`{"id":"A","imap":{"port":70000},"max_items":true,"x":1,"max_items":3}`), DefaultMailbox())
	var paths []string
	for _, p := range problems {
		paths = append(paths, p.Path)
	}
	want := []string{"max_items", "max_items", "x", "tenant", "id", "name", "imap.host", "imap.port"}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Errorf("-want +got:\n%s\n%v", diff, problems)
	}
}

func TestUpdateKeepsWhatItDoesNotName(t *testing.T) {
	t.Parallel()
	stored, _ := DecodeMailbox(with(t, `{"max_items": 7, "imap": {"host": "a.example", "port": 143}}`), DefaultMailbox())
	updated, problems := DecodeMailbox([]byte(`{"imap": {"host": "b.example"}, "folders": ["help"]}`), stored)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if updated.MaxItems != 7 || updated.IMAP.Port != 143 || updated.IMAP.Host != "b.example" || updated.Name != "Support" {
		t.Errorf("the update lost or ignored something: %+v", updated)
	}
	if stored.Folders[0] != "sales" {
		t.Error("the update changed the stored document's folders")
	}
	_, problems = DecodeMailbox([]byte(`{"id": "other", "tenant": "rival"}`), stored)
	if got, want := problems.Error(), "tenant: is acme and never changes\nid: is support and never changes"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhatIsNotAJSONObject(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		``:                    "is not JSON: unexpected end of JSON input",
		`[]`:                  "is a list, not an object",
		`{"a":1}{"b":2}`:      "is not JSON: invalid character '{' after top-level value",
		"{\"name\":\"\xff\"}": "is not UTF-8",
		strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40): "is not JSON: it nests too deeply",
	} {
		if _, problems := DecodeMailbox([]byte(raw), DefaultMailbox()); len(problems) == 0 || problems[0].String() != want {
			t.Errorf("%.40q: %v; want %q", raw, problems, want)
		}
	}
}
