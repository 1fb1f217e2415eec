package rest_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
	"github.com/mailyard/mailyard/services/admin/rest"
)

func operationNamed(t *testing.T, name string) operation.Operation {
	t.Helper()
	o, ok := operation.Find(name)
	if !ok {
		t.Fatalf("there is no operation %s", name)
	}
	return o
}

func TestBytesOfMailAreDownloads(t *testing.T) {
	t.Parallel()
	d := open(t)
	a := d.ask(d.Rita.Token, "GET", "/tenants/acme/mails/"+d.Acme.Mail+"/attachments/1", nil, header{"Accept", "text/html"}).is(http.StatusOK)
	if !bytes.Contains(a.body, []byte("<script>")) || a.header.Get("Content-Type") != "application/octet-stream" {
		t.Errorf("%s: %s", a.header.Get("Content-Type"), a.body)
	}
	disposition := a.header.Get("Content-Disposition")
	if !strings.HasPrefix(disposition, "attachment; ") || !strings.HasSuffix(disposition, ".html") || !strings.Contains(disposition, "filename*=UTF-8''") ||
		strings.Contains(disposition, "../") || strings.Contains(disposition, "%2F") || strings.Count(disposition, `"`) != 2 {
		t.Errorf("Content-Disposition: %s", disposition)
	}
	a = d.ask(d.Rita.Token, "GET", "/tenants/acme/mails/"+d.Acme.Mail+"/raw", nil).is(http.StatusOK)
	if a.header.Get("Content-Type") != "message/rfc822" || a.header.Get("Content-Disposition") != `attachment; filename="`+d.Acme.Mail+`.eml"` || !bytes.HasPrefix(a.body, []byte("From: Kim")) {
		t.Errorf("%v %s", a.header, a.body)
	}
	d.ask(d.Rita.Token, "GET", "/tenants/acme/mails/"+d.Acme.Mail+"/attachments/9", nil).problem(http.StatusNotFound)
}

func TestStepsComeOneByOne(t *testing.T) {
	t.Parallel()
	d := open(t)
	for _, name := range []string{"doctor.run", "mailbox.test"} {
		o := operationNamed(t, name)
		a := d.ask(d.Ann.Token, o.Method, d.Path(o, d.Acme, d.Ann), admintest.Body(o, d.Acme), header{"Accept", "application/x-ndjson"}).is(http.StatusOK)
		if a.header.Get("Content-Type") != "application/x-ndjson" {
			t.Errorf("%s: %s", name, a.header.Get("Content-Type"))
		}
		var steps int
		var report *doctor.Report
		for lines := bufio.NewScanner(bytes.NewReader(a.body)); lines.Scan(); {
			var line struct {
				Step   *doctor.Step
				Report *doctor.Report
			}
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				t.Fatal(err)
			}
			if line.Step != nil {
				steps++
			}
			report = line.Report
		}
		if steps < 2 || report == nil || report.Outcome != doctor.Failed {
			t.Errorf("%s: %d steps and %+v", name, steps, report)
		}
	}
	o := operationNamed(t, "doctor.run")
	d.ask(d.Rita.Token, o.Method, d.Path(o, d.Acme, d.Ann), admintest.Body(o, d.Acme), header{"Accept", "application/x-ndjson"}).problem(http.StatusForbidden)
}

func TestAClientThatGoesAwayEndsTheExamination(t *testing.T) {
	t.Parallel()
	d := open(t)
	dialled, ended := make(chan struct{}), make(chan struct{})
	d.Desk.Doctor.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(dialled)
		<-ctx.Done()
		close(ended)
		return nil, ctx.Err()
	}
	d.Desk.Doctor.LookupNetIP = loopback
	server := httptest.NewServer(d.handler)
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	o := operationNamed(t, "mailbox.test")
	r, err := http.NewRequestWithContext(ctx, o.Method, server.URL+rest.Prefix+d.Path(o, d.Acme, d.Ann), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+d.Ann.Token)
	r.Header.Set("Accept", "application/x-ndjson")
	answered, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answered.Body.Close()
	if line, err := bufio.NewReader(answered.Body).ReadString('\n'); err != nil || !strings.Contains(line, `"running"`) {
		t.Errorf("the first line is %q, %v", line, err)
	}
	<-dialled
	cancel()
	<-ended
	_, _ = io.Copy(io.Discard, answered.Body)
}

func TestOurFaultsAreLoggedAndNotTold(t *testing.T) {
	t.Parallel()
	d := open(t)
	cause := "SQL logic error near SELECT"
	d.Desk.Stores["default"] = broken{d.Desk.Stores["default"], errors.New(cause)}
	a := d.ask(d.Rita.Token, "GET", "/tenants/acme/mails", nil)
	p := a.problem(http.StatusInternalServerError)
	var named struct{ Reference string }
	a.decode(&named)
	if strings.Contains(string(a.body), "SQL") || named.Reference == "" || p.Detail == "" {
		t.Errorf("the answer is %s", a.body)
	}
	entries := d.Logs.FilterMessage("answering REST").All()
	if len(entries) != 1 || entries[0].ContextMap()["reference"] != named.Reference || !strings.Contains(entries[0].ContextMap()["error"].(string), cause) {
		t.Errorf("the log says %+v", entries)
	}
}

func TestOneActorLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	d := open(t)
	dialled, release := make(chan struct{}), make(chan struct{})
	d.Desk.Doctor.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		dialled <- struct{}{}
		<-release
		return nil, errors.New("no")
	}
	d.Desk.Doctor.LookupNetIP = loopback
	o := operationNamed(t, "mailbox.test")
	done := make(chan answer)
	for range 4 {
		go func() { done <- d.perform(d.Ann.Token, o, d.Acme, d.Ann) }()
	}
	for range 4 {
		<-dialled
	}
	a := d.perform(d.Ann.Token, o, d.Acme, d.Ann)
	a.problem(http.StatusTooManyRequests)
	if a.header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	d.ask(d.Ann.Token, "GET", "/tenants/acme", nil).is(http.StatusOK)
	close(release)
	go func() {
		for range dialled {
			_ = 0 // the SMTP side
		}
	}()
	for range 4 {
		(<-done).is(http.StatusOK)
	}
	d.perform(d.Ann.Token, o, d.Acme, d.Ann).is(http.StatusOK)
	close(dialled)
}
