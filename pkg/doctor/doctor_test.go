package doctor_test

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const user = "desk@test.example"

// mailServer starts a demo server with a mailbox that takes mail of its domain.
func mailServer(t *testing.T, opts imaptest.Options) *imaptest.Server {
	t.Helper()
	opts.Users = map[string]string{user: "pass-word", "other@test.example": "other"}
	return imaptest.Demo(t, opts)
}

// request returns the mailbox of a target, as the landlord sees it.
func request(t imapconn.Target) doctor.Request {
	doc := config.DefaultMailbox()
	doc.Tenant, doc.ID, doc.Username = t.Tenant, "desk", t.Username
	doc.IMAP = config.Server{Host: t.Host, Port: t.Port, Security: t.Security, CA: t.CA}
	return doctor.Request{Document: doc, Password: t.Password, AllowInsecureIMAP: t.AllowInsecure, Detailed: true}
}

// sending returns a mailbox that also sends.
func sending(s *imaptest.Server) doctor.Request {
	req := request(s.Target(user))
	req.Document.SMTP = config.Server{Host: s.Host, Port: s.SMTP, Security: config.SecurityAuto, CA: s.CA}
	req.AllowInsecureSMTP = s.CA == ""
	req.Addresses = []string{"support@test.example", "sales@test.example"}
	return req
}

// examine runs a doctor and returns its steps by ID.
func examine(t *testing.T, d doctor.Doctor, req doctor.Request) (doctor.Report, map[string]doctor.Step) {
	t.Helper()
	report := d.Run(t.Context(), req, nil)
	steps := make(map[string]doctor.Step)
	for _, s := range report.Steps {
		t.Logf("%-13s %-8s %s | %s | %s | %v", s.ID, s.Outcome, s.Tried, s.Answer, s.Remedy, s.Facts)
		steps[s.ID] = s
	}
	return report, steps
}

func value(s doctor.Step, fact string) string {
	for _, f := range s.Facts {
		if f.Name == fact {
			return f.Value
		}
	}
	return ""
}

// named is a doctor for whom every name is that of an address.
func named(address string) doctor.Doctor {
	return doctor.Doctor{
		LookupNetIP: func(context.Context, string, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr(address)}, nil
		},
		Limit: 20 * time.Second,
	}
}

// failing is a doctor whose connections fail.
func failing(address string, err error) doctor.Doctor {
	d := named(address)
	d.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, err }
	return d
}
