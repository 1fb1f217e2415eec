//go:build full

package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/demoserver"
	"github.com/mailyard/mailyard/pkg/message/messagetest"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/mailyard"
)

// shop is what the departments of the sample tenant are called.
var shop = []string{
	"Support", "Sales", "Billing", "Returns", "Spare parts", "Workshop Hamburg", "Workshop Lyon", "Press", "Careers", "Purchasing",
	"Warranty", "Fleet customers", "Events", "Warehouse", "Legal", "Data protection", "Dealers north", "Dealers south", "Newsletter", "Accounting",
}

// A sample is a mail server with many users, and the documents of mailboxes
// there, in every state that a mailbox can be in.
type sample struct {
	server    *demoserver.Server
	documents string
}

// furnish starts the mail server. Its address has to be allowed to the installation.
func furnish(t testing.TB) *sample {
	t.Helper()
	users := map[string]string{}
	for n := range 60 {
		users[user(n)] = "sample"
	}
	server, err := demoserver.Start(context.Background(), demoserver.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", SMTPAddr: "127.0.0.1:0", Users: users})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &sample{server: server}
	s.write()
	return s
}

func user(n int) string {
	return fmt.Sprintf("%s%d@bicycle-works.example", strings.ReplaceAll(strings.ToLower(shop[n%len(shop)]), " ", "."), n/len(shop)+1)
}

func folder(n int) string { return strings.ReplaceAll(strings.ToLower(shop[n]), " ", "-") }

// environment allows an installation to reach the server.
func (s *sample) environment() []string {
	both := s.server.Addr().String() + "," + s.server.SMTPAddr().String()
	return []string{"MAILYARD_INSECURE_HOSTS=" + both, "MAILYARD_MAIL_NETWORKS=" + both, "SAMPLE=sample", "WRONG=wrong"}
}

// write writes the documents: a tenant with 60 mailboxes, and two with little.
func (s *sample) write() {
	var b strings.Builder
	add := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n---\n", args...) }
	add("kind: tenant\nid: bicycle-works\nname: Bicycle Works International\nencryption_key: generate\nlimits: {mailboxes: 200, mail_per_day: 50000}")
	add("kind: tenant\nid: harbour\nname: Harbour Logistics\nencryption_key: generate")
	add("kind: tenant\nid: new-customer\nname: New Customer Ltd.")
	for n, name := range shop {
		add("kind: folder\ntenant: bicycle-works\nid: %s\nname: %s\naddress: %s@bicycle-works.example\naliases: [%s-de@bicycle-works.example]\ndescription: What is for %s", folder(n), name, folder(n), folder(n), name)
	}
	add("kind: folder\ntenant: harbour\nid: quay\nname: Quay\naddress: quay@harbour.example")
	imap, smtp := s.server.Addr().Port, s.server.SMTPAddr().Port
	for n := range 60 {
		host, password, enabled := fmt.Sprintf("imap: {host: 127.0.0.1, port: %d}\nsmtp: {host: 127.0.0.1, port: %d}", imap, smtp), "SAMPLE", true
		switch {
		case n%12 == 5:
			host = "imap: {host: 127.0.0.1, port: 993}" // nothing listens there
		case n%15 == 7:
			password = "WRONG"
		case n%9 == 4:
			enabled = false
		case n%10 == 8:
			host = fmt.Sprintf("imap: {host: 127.0.0.1, port: %d, security: ssl-on-connect}", imap)
		}
		name := shop[n%len(shop)]
		if n >= len(shop) {
			name += []string{"", " Europe", " Asia and the Pacific"}[n/len(shop)]
		}
		add("kind: mailbox\ntenant: bicycle-works\nid: box-%02d\nname: %s\nfolders: [%s, %s]\nenabled: %t\n%s\nusername: %s\npassword: {env: %s}", n, name, folder(n%len(shop)), folder((n+3)%len(shop)), enabled, host, user(n), password)
	}
	s.documents = strings.TrimSuffix(b.String(), "---\n")
}

// fill applies the documents and lets mail arrive, some of which is given up.
func (s *sample) fill(i *installation) {
	i.t.Helper()
	for n := range 60 {
		for k := range 1 + n%7*3 {
			to := fmt.Sprintf("%s@bicycle-works.example", folder(n%len(shop)))
			if k%6 == 5 {
				to = "nobody@bicycle-works.example"
			}
			if _, err := s.server.Deliver(user(n), messagetest.Light(n*20+k, to)); err != nil {
				i.t.Fatal(err)
			}
		}
	}
	if _, err := s.server.Deliver(user(0), s.story()); err != nil {
		i.t.Fatal(err)
	}
	path := filepath.Join(i.t.TempDir(), "sample.yaml")
	if err := os.WriteFile(path, []byte(s.documents), 0o600); err != nil {
		i.t.Fatal(err)
	}
	i.run("apply", "-f", path)
	s.giveUp(i)
}

// story is a mail with text, HTML and an attachment.
func (s *sample) story() []byte {
	return []byte("From: Noor Haddad <noor@example.org>\r\nTo: support@bicycle-works.example, sales@bicycle-works.example\r\nSubject: The red bicycle and its invoice\r\nMessage-ID: <story@example.org>\r\nDate: Sun, 22 Nov 2026 09:12:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n" +
		"--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGood morning,\r\n\r\nthe red bicycle arrived, thank you. The invoice names a blue one.\r\n\r\nNoor\r\n" +
		"--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Good morning,</p><p>the <b>red</b> bicycle arrived, thank you. The invoice names a <i>blue</i> one.</p><table border=1><tr><td>Frame</td><td>54 cm</td></tr><tr><td>Colour</td><td>red</td></tr></table><img src=\"http://tracker.example/pixel.gif\" alt=\"\"><p>Noor</p>\r\n--a--\r\n" +
		"--m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"invoice 4711.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("JVBERi0xLjQKJcfsj6IKNSAwIG9iago8PC9MZW5ndGggNiAwIFI+PgpzdHJlYW0K\r\n", 40) + "--m--\r\n")
}

// giveUp writes dead letters, as stages do that can go no further.
func (s *sample) giveUp(i *installation) {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e, ok, err := mailyard.Home{Dir: i.data}.Endpoints()
	if err != nil || !ok {
		i.t.Fatalf("finding NATS: %v", err)
	}
	conn, err := bus.Connect(ctx, bus.Options{URL: e.NATSURL, User: e.NATSUser, Password: e.NATSPassword, Name: "sample", Logger: zap.NewNop()})
	if err != nil {
		i.t.Fatal(err)
	}
	for n, cause := range []string{
		"downloading UID 4100: the server hung up in the middle of the mail",
		"persisting: the messaging database is full",
		"moving UID 4102 to PersistedCCSPItems: the server answered NO [OVERQUOTA] the folder is full",
	} {
		key := schemas.MailKey{Tenant: "bicycle-works", Mailbox: fmt.Sprintf("box-%02d", n), UIDValidity: 1, UID: uint32(4100 + n)}
		stage := []schemas.Stage{schemas.StageFetcher, schemas.StagePersister, schemas.StageDisposer}[n]
		if err := conn.GiveUp(ctx, stage, key, 5+n, errors.New(cause)); err != nil {
			i.t.Fatal(err)
		}
	}
	if err := conn.Close(ctx); err != nil {
		i.t.Fatal(err)
	}
}
