//go:build full

package browser_test

import (
	"fmt"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
)

// servers returns the addresses of IMAP and SMTP of the demo mail server.
func (i *installation) servers() (imap, smtp string) {
	i.t.Helper()
	raw, err := os.ReadFile(filepath.Join(i.data, "demo", "address"))
	if err != nil {
		i.t.Fatal(err)
	}
	at := strings.Fields(string(raw))
	if len(at) != 2 {
		i.t.Fatalf("the demo mail server is at %q", raw)
	}
	return at[0], at[1]
}

// ports returns the ports of IMAP and SMTP of the demo mail server, as one types them.
func (i *installation) ports() (imap, submission string) {
	i.t.Helper()
	a, b := i.servers()
	_, imap, err := net.SplitHostPort(a)
	if err != nil {
		i.t.Fatal(err)
	}
	_, submission, err = net.SplitHostPort(b)
	if err != nil {
		i.t.Fatal(err)
	}
	return imap, submission
}

// deliver sends a mail to desk@demo.example, for an address of a folder.
func (i *installation) deliver(to, subject, body string) {
	i.t.Helper()
	_, at := i.servers()
	mail := fmt.Sprintf("From: Kim Example <kim@example.org>\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@example.org>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n%s", to, subject, strings.ReplaceAll(subject, " ", "-"), body)
	auth := smtp.PlainAuth("", "info@demo.example", "demo", "127.0.0.1")
	if err := smtp.SendMail(at, auth, "info@demo.example", []string{"desk@demo.example"}, []byte(mail)); err != nil {
		i.t.Fatalf("sending %q: %v", subject, err)
	}
}

// html is the body of a mail that tries what mail should not.
const html = "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
	`<h1>Dear desk</h1><p>The <b>red</b> bicycle arrived.</p><script>parent.document.title = "taken over"</script>` +
	`<img src="http://tracker.example/pixel.gif" onerror="alert(1)"><p style="background:url(http://tracker.example/style.gif)">Kind regards</p>` + "\r\n"

const text = "Content-Type: text/plain; charset=utf-8\r\n\r\nThe bicycle arrived.\r\n"
