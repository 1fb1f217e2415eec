package console

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// upload sends a form with a file.
func (b *browser) upload(path string, values map[string]string, file []byte) (int, string) {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range values {
		if err := w.WriteField(name, value); err != nil {
			b.t.Fatal(err)
		}
	}
	if file != nil {
		part, err := w.CreateFormFile("file", "a <b>.eml")
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := part.Write(file); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(b.t.Context(), http.MethodPost, "http://127.0.0.1:8420"+path, &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.RemoteAddr = b.from
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	answer := httptest.NewRecorder()
	b.handler.ServeHTTP(answer, r)
	return answer.Code, answer.Body.String()
}

func TestTheSimulatorSaysWhere(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	b := s.as(s.Rita)
	has(t, b.open(http.StatusOK, "/t/acme/simulator"), "Nothing is simulated yet", `enctype="multipart/form-data"`, "All folders of the tenant", "Every address has its folder")
	status, page := b.upload("/t/acme/simulator", map[string]string{"mailbox": "", "text": "Delivered-To: info@acme.example\nTo: support+x@acme.example, kim@example.org\nSubject: <i>Hello\n"}, nil)
	if status != http.StatusOK {
		t.Fatalf("it answers %d: %s", status, page)
	}
	has(t, page, "&lt;i&gt;Hello", "To <strong>Support</strong> because To: support&#43;x@acme.example matched without its &#43;tag.", "It would be moved to PersistedCCSPItems.", "Delivered-To", "kim@example.org", "No folder of the mailbox has this address.", "light, by its")
	_, page = b.upload("/t/acme/simulator", map[string]string{"mailbox": "info", "text": "this is replaced"}, []byte("To: nobody@acme.example\r\nSubject: File \xff\r\n\r\nBody"))
	has(t, page, "It would be in no folder.", "It would be moved to InvalidCCSPItems.", "a &lt;b&gt;.eml", "To: nobody@acme.example", "No folder of the mailbox has this address.")
	hasNot(t, page, "this is replaced", "Body", "addresses decided")
}

func TestTheSimulatorRefuses(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	b := s.as(s.Rita)
	for what, c := range map[string]struct {
		values map[string]string
		file   []byte
		status int
		text   string
	}{
		"nothing":          {nil, nil, http.StatusUnprocessableEntity, "give a header or a mail"},
		"an empty file":    {nil, []byte{}, http.StatusUnprocessableEntity, "is an empty file"},
		"a mailbox":        {map[string]string{"mailbox": "gone", "text": "To: a@b.example\n"}, nil, http.StatusUnprocessableEntity, "does not exist; choose another one"},
		"another's":        {map[string]string{"mailbox": s.Rival.Mailbox, "text": "To: a@b.example\n"}, nil, http.StatusUnprocessableEntity, "does not exist; choose another one"},
		"a large file":     {nil, bytes.Repeat([]byte("a"), operation.MaxSimulated+1), http.StatusUnprocessableEntity, "the header is enough"},
		"a larger file":    {nil, bytes.Repeat([]byte("a"), 5<<20), http.StatusUnprocessableEntity, "the header is enough"},
		"a huge file":      {nil, bytes.Repeat([]byte("a"), uploadLimit+1), http.StatusRequestEntityTooLarge, "What was sent is larger than"},
		"a large text":     {map[string]string{"text": strings.Repeat("a", operation.MaxSimulated+1)}, nil, http.StatusUnprocessableEntity, "the header is enough"},
		"as large as fits": {nil, append([]byte("To: support@acme.example\n\n"), bytes.Repeat([]byte("a"), operation.MaxSimulated-30)...), http.StatusOK, "because To: support@acme.example matched exactly"},
		"NUL and worse":    {nil, []byte("\x00\xff\xfe: \x01\r\r\nTo:\x00 support@acme.example\x00\n\n"), http.StatusOK, "Addresses that were looked at"},
		"a whole page":     {map[string]string{"text": "To: <script>alert(1)</script>@x\nSubject: </textarea><script>alert(2)</script>\n"}, nil, http.StatusOK, "&lt;/textarea&gt;&lt;script&gt;alert(2)"},
	} {
		status, page := b.upload("/t/acme/simulator", c.values, c.file)
		if status != c.status || !strings.Contains(page, c.text) || strings.Contains(page, "<script>alert") {
			t.Errorf("%s answers %d: %.3000s", what, status, main(page))
		}
	}
	if answer := b.do(http.MethodPost, "/t/acme/simulator", url.Values{"a": {"b"}}, "Content-Type", "multipart/form-data"); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("a broken form answers %d", answer.StatusCode)
	}
	if answer := b.do(http.MethodPost, "/t/acme/simulator", url.Values{"text": {"To: support@acme.example\n"}}); answer.StatusCode != http.StatusOK {
		t.Errorf("a form without file answers %d", answer.StatusCode)
	}
}

func TestAddressesWithoutFolderAreOffered(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	id := s.persist(5, plainMail, invalid("Sales+x@acme.example"))
	s.persist(6, plainMail, invalid("Sales+x@acme.example"))
	reader, ann := s.as(s.Rita), s.as(s.Ann)
	page := reader.open(http.StatusOK, "/t/acme/simulator")
	has(t, page, "Sales&#43;x@acme.example", "Newest mail", "verdict=invalid%2Fno-matching-folder")
	hasNot(t, page, "Add to a folder")
	reader.open(http.StatusForbidden, "/t/acme/simulator/add?address=x@acme.example", "HX-Request", "true")
	reader.open(http.StatusForbidden, "/t/acme/simulator/add/to?address=x@acme.example")

	has(t, ann.open(http.StatusOK, "/t/acme/simulator"), "Add to a folder…", "simulator/add?address=Sales%2Bx%40acme.example")
	has(t, ann.open(http.StatusOK, "/t/acme/simulator/add?address=Sales%2Bx%40acme.example", "HX-Request", "true"), "A new folder", "Support, support@acme.example", `value="Sales&#43;x@acme.example"`)
	for query, want := range map[string]string{"": "/t/acme/folders/new?address=Sales%2Bx%40acme.example", "&folder=support": "/t/acme/folders/at/support?alias=Sales%2Bx%40acme.example"} {
		answer := ann.do(http.MethodGet, "/t/acme/simulator/add/to?address=Sales%2Bx%40acme.example"+query, nil)
		if to := answer.Header.Get("Location"); to != want {
			t.Errorf("it leads to %q, want %q", to, want)
		}
		has(t, ann.open(http.StatusOK, answer.Header.Get("Location")), "Sales&#43;x@acme.example")
	}
	has(t, ann.open(http.StatusOK, "/t/acme/simulator?mail="+id), "To: support&#43;vip@acme.example")
	ann.open(http.StatusNotFound, "/t/acme/simulator?mail="+s.Rival.Mail)
}
