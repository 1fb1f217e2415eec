package e2e_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"sync"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas/config"
)

// A relay takes mail over SMTP, from whoever asks, for accounts of a mail server:
// Dovecot itself takes none.
type relay struct {
	server   config.Server
	accounts map[string]string // by address
	deliver  func(user string, mails ...[]byte)
}

func newRelay(sc *scene, accounts map[string]string) *relay {
	sc.Helper()
	made := imaptest.NewCertificate(sc, endless)
	pair := must(tls.X509KeyPair([]byte(made.Cert), []byte(made.Key)))(sc)
	l := must(tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}))(sc)
	r := &relay{accounts: accounts, deliver: sc.server.Deliver}
	r.server = config.Server{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Security: config.SecurityTLS, CA: made.CA}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // it was closed
			}
			serving.Go(func() { r.serve(c) })
		}
	})
	sc.Cleanup(func() {
		_ = l.Close() // nobody could do anything about an error
		serving.Wait()
	})
	return r
}

// serve speaks as much SMTP as a client needs (RFC 5321, RFC 4954).
func (r *relay) serve(c net.Conn) {
	defer c.Close()
	lines := textproto.NewReader(bufio.NewReader(c))
	say := func(text string) { fmt.Fprintf(c, "%s\r\n", text) }
	var users []string
	for say("220 relay ESMTP"); ; {
		line, err := lines.ReadLine()
		if err != nil {
			return // the client went away
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-relay\r\n250 AUTH PLAIN")
		case "AUTH":
			if strings.EqualFold(rest, "PLAIN") {
				say("334 ")
				if _, err := lines.ReadLine(); err != nil {
					return
				}
			}
			say("235 welcome")
		case "RCPT":
			_, address, _ := strings.Cut(rest, "<")
			address, _, _ = strings.Cut(address, ">")
			if user := r.accounts[address]; user != "" {
				users = append(users, user)
				say("250 ok")
			} else {
				say("550 5.1.1 no such mailbox")
			}
		case "DATA":
			say("354 go on")
			mail, err := lines.ReadDotBytes()
			if err != nil {
				return
			}
			for _, user := range users {
				r.deliver(user, []byte(strings.ReplaceAll(string(mail), "\n", "\r\n")))
			}
			users = nil
			say("250 2.0.0 taken")
		case "MAIL", "RSET":
			users = nil
			say("250 ok")
		case "NOOP":
			say("250 ok")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("502 5.5.1 not known")
		}
	}
}
