package imaptest

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"

	"github.com/mailyard/mailyard/pkg/demoserver"
)

// Demo starts the demo server in a temporary folder. It ends with the test.
// IDLE cannot be hidden.
func Demo(t testing.TB, opts Options) *Server {
	t.Helper()
	d := &demo{t: t, opts: demoserver.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0", SMTPAddr: "127.0.0.1:0", Users: opts.users()}}
	s := &Server{Host: "127.0.0.1", t: t, users: d.opts.Users, deliver: d.deliver, start: d.start, stop: d.stop, log: func() string { return "" }}
	s.usersChanged = func() { d.stop(false); d.start() }
	if !opts.NoTLS {
		cert := NewCertificate(t, time.Time{})
		pair, err := tls.X509KeyPair([]byte(cert.Cert), []byte(cert.Key))
		if err != nil {
			t.Fatal(err)
		}
		d.opts.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
		d.opts.TLSAddr, d.opts.SMTPTLSAddr = "127.0.0.1:0", "127.0.0.1:0"
		s.CA = cert.CA
	}
	d.opts.Caps = make(imap.CapSet)
	for _, c := range []imap.Cap{imap.CapNamespace, imap.CapUIDPlus, imap.CapESearch, imap.CapMove, imap.CapLiteralPlus} {
		if !contains(opts.Hide, string(c)) {
			d.opts.Caps[c] = struct{}{}
		}
	}
	d.start()
	t.Cleanup(func() { d.stop(false) })
	s.Port = d.server.Addr().Port
	d.opts.Addr = fmt.Sprintf("127.0.0.1:%d", s.Port)
	s.SMTP = d.server.SMTPAddr().Port
	d.opts.SMTPAddr = d.server.SMTPAddr().String()
	if a := d.server.TLSAddr(); a != nil {
		s.TLS = a.Port
		d.opts.TLSAddr = a.String()
	}
	if a := d.server.SMTPTLSAddr(); a != nil {
		s.SMTPTLS = a.Port
		d.opts.SMTPTLSAddr = a.String()
	}
	return s
}

type demo struct {
	t      testing.TB
	opts   demoserver.Options
	server *demoserver.Server
}

func (d *demo) start() {
	d.t.Helper()
	s, err := demoserver.Start(d.t.Context(), d.opts)
	if err != nil {
		d.t.Fatal(err)
	}
	d.server = s
}

// stop is the same in both ways: the demo server writes nothing when it ends.
func (d *demo) stop(bool) { d.server.Close() }

func (d *demo) deliver(user string, raw []byte) {
	d.t.Helper()
	if _, err := d.server.Deliver(user, raw); err != nil {
		d.t.Fatal(err)
	}
}
