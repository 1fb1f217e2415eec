package provider_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailyard/mailyard/pkg/provider"
	"github.com/mailyard/mailyard/schemas/config"
)

// A zone answers questions: "mx example.org", "srv _imaps._tcp.example.org",
// "ip imap.example.org". What it does not hold does not exist.
type zone map[string]string

var errNoName = &net.DNSError{Err: "no such host", IsNotFound: true}

func (z zone) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	hosts, ok := z["mx "+name]
	if !ok {
		return nil, errNoName
	}
	var records []*net.MX
	for _, host := range strings.Fields(hosts) {
		records = append(records, &net.MX{Host: host})
	}
	return records, nil
}

func (z zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	record, ok := z["srv _"+service+"._"+proto+"."+name]
	if !ok {
		return "", nil, errNoName
	}
	host, port, _ := strings.Cut(record, " ")
	n, err := net.LookupPort("tcp", port)
	return name, []*net.SRV{{Target: host, Port: uint16(n)}}, err
}

func (z zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	a, ok := z["ip "+host]
	if !ok {
		return nil, errNoName
	}
	return []netip.Addr{netip.MustParseAddr(a)}, nil
}

func TestRecognise(t *testing.T) {
	t.Parallel()
	z := zone{
		"mx firm.example":                    "10.mx.example. aspmx.l.google.com.",
		"mx office.example":                  "office-example.mail.protection.outlook.com.",
		"mx evil.example":                    "google.com.evil.example. notgoogle.com.",
		"mx filtered.example":                "mx.filter.example.",
		"srv _imaps._tcp.filtered.example":   "imap.filtered.example. 993",
		"srv _imap._tcp.plain.example":       "mail.plain.example. 143",
		"srv _submission._tcp.plain.example": "mail.plain.example. 587",
		"srv _imaps._tcp.none.example":       ". 0", "srv _imap._tcp.none.example": ". 0",
		"srv _imaps._tcp.odd.example": "a.hoster.example. 1993", "srv _submissions._tcp.odd.example": "b.hoster.example. 2465",
		"srv _imap._tcp.odder.example": "a.odder.example. 993",
		"ip imap.usual.example":        "192.0.2.1", "ip smtp.usual.example": "192.0.2.2", "ip mail.small.example": "192.0.2.3",
		"ip imap.xn--bcher-kva.example": "192.0.2.4",
		"ip imap.filtered.example":      "192.0.2.5", "ip mail.plain.example": "192.0.2.6", "ip a.hoster.example": "192.0.2.7", "ip b.hoster.example": "192.0.2.8", "ip a.odder.example": "192.0.2.9",
		"srv _imaps._tcp.inside.example": "imap.internal.corp. 993", // which has no address that may be told
	}
	for address, want := range map[string]string{
		"me@gmail.com":        "Gmail known imap.gmail.com:993/auto smtp.gmail.com:465/auto",
		" ME@GoogleMail.com":  "Gmail known imap.gmail.com:993/auto smtp.gmail.com:465/auto",
		"me@hotmail.co.uk":    "Outlook.com known outlook.office365.com:993/auto smtp-mail.outlook.com:587/auto",
		"me@yahoo.com.br":     "Yahoo known imap.mail.yahoo.com:993/auto smtp.mail.yahoo.com:465/auto",
		"me@yahoo.co.jp":      "Yahoo Japan known imap.mail.yahoo.co.jp:993/auto smtp.mail.yahoo.co.jp:465/auto",
		"me@mac.com":          "iCloud known imap.mail.me.com:993/auto smtp.mail.me.com:587/auto",
		"me@gmx.at":           "GMX known imap.gmx.net:993/auto mail.gmx.net:587/auto",
		"me@gmx.com":          "GMX known imap.gmx.com:993/auto mail.gmx.com:587/auto",
		"me@aol.de":           "AOL known imap.aol.com:993/auto smtp.aol.com:465/auto",
		"me@proton.me":        "Proton Mail known :0/ :0/",
		"me@firm.example":     "Gmail mx imap.gmail.com:993/auto smtp.gmail.com:465/auto",
		"me@office.example":   "Microsoft 365 mx outlook.office365.com:993/auto smtp.office365.com:587/auto",
		"me@filtered.example": "filtered.example srv imap.filtered.example:993/auto :0/",
		"me@plain.example":    "plain.example srv mail.plain.example:143/auto mail.plain.example:587/auto",
		"me@odd.example":      "odd.example srv a.hoster.example:1993/ssl-on-connect b.hoster.example:2465/ssl-on-connect",
		"me@odder.example":    "odder.example srv a.odder.example:993/start-tls :0/",
		"me@usual.example":    "usual.example guess imap.usual.example:993/auto smtp.usual.example:587/auto",
		"me@small.example":    "small.example guess mail.small.example:993/auto mail.small.example:587/auto",
		"me@bücher.example":   "xn--bcher-kva.example guess imap.xn--bcher-kva.example:993/auto :0/",
		"me@evil.example":     "", "me@none.example": "", "me@yahoo.evil.example": "", "me@unknown.example": "", "me@inside.example": "", "gmail.com": "", "": "",
		"me@[192.0.2.1]": "", "me@yahoo": "", "me\r\n@gmail.com": "", strings.Repeat("x", 5000) + "@gmail.com": "",
	} {
		t.Run(address[:min(len(address), 40)], func(t *testing.T) {
			t.Parallel()
			s, ok := provider.Recognise(t.Context(), z, address)
			got := ""
			if ok {
				got = strings.Join([]string{s.Name, s.Source, server(s.IMAP), server(s.SMTP)}, " ")
				if s.Username != strings.TrimSpace(address) {
					t.Errorf("username is %q", s.Username)
				}
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func server(s provider.Server) string {
	return s.Host + ":" + strconv.Itoa(s.Port) + "/" + string(s.Security)
}

func TestNotesSayWhatElseIsNeeded(t *testing.T) {
	t.Parallel()
	z := zone{"srv _imaps._tcp.odd.example": "imap.hoster.example. 993", "ip imap.hoster.example": "192.0.2.2", "ip imap.usual.example": "192.0.2.1"}
	for address, want := range map[string]string{
		"me@gmail.com": "app password", "me@yahoo.com": "app password", "me@icloud.com": "app-specific", "me@outlook.com": "no passwords",
		"me@proton.me": "Bridge", "me@odd.example": "outside the domain", "me@usual.example": "guessed",
	} {
		s, _ := provider.Recognise(t.Context(), z, address)
		if !strings.Contains(s.Note, want) {
			t.Errorf("%s: %q", address, s.Note)
		}
	}
	if s, ok := provider.OfHost("IMAP.gmail.com."); !ok || s.Name != "Gmail" || s.IMAP.Security != config.SecurityAuto {
		t.Errorf("%+v", s)
	}
	if s, ok := provider.OfHost(""); ok {
		t.Errorf("%+v", s)
	}
}

// silent answers nothing.
type silent struct{}

func (silent) LookupMX(ctx context.Context, _ string) ([]*net.MX, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (silent) LookupSRV(ctx context.Context, _, _, _ string) (string, []*net.SRV, error) {
	<-ctx.Done()
	return "", nil, ctx.Err()
}

func (silent) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestNameServersThatDoNotAnswerAreNotWaitedForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if s, ok := provider.Recognise(t.Context(), silent{}, "me@slow.example"); ok || time.Since(began) > 10*time.Second {
			t.Errorf("%+v after %v", s, time.Since(began))
		}
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if _, ok := provider.Recognise(ctx, silent{}, "me@slow.example"); ok {
		t.Error("recognised")
	}
}
