package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/admintest"
)

// A ledgerSite is a console with two tenants that have one of everything.
type ledgerSite struct {
	*site
	*admintest.Office
}

func newLedgerSite(t testing.TB) ledgerSite {
	t.Helper()
	s, o := newOfficeSite(t)
	return ledgerSite{s, o}
}

// open returns a page that has to answer with the status.
func (b *browser) open(status int, path string, headers ...string) string {
	b.t.Helper()
	answer := b.do(http.MethodGet, path, nil, headers...)
	body := text(b.t, answer)
	if answer.StatusCode != status {
		b.t.Fatalf("GET %s answers %d, want %d: %s", path, answer.StatusCode, status, body)
	}
	return body
}

// persist stores a mail of acme and returns its id.
func (s ledgerSite) persist(uid uint32, raw string, change func(*mailstore.Mail)) string {
	s.site.t.Helper()
	now := time.Now().UTC()
	m := mailstore.Mail{
		Key:  schemas.MailKey{Tenant: "acme", Mailbox: "info", UIDValidity: 7, UID: uid},
		Lane: schemas.Light, Size: int64(len(raw)), SHA256: fmt.Sprintf("%064x", uid), InternalDate: now.Add(-time.Minute), FetchedAt: now.Add(-2 * time.Second),
		Decision: schemas.Decision{
			Verdict: schemas.Accepted, ClassifiedAt: now.Add(-time.Second), Revision: 3,
			Clones:     []schemas.Clone{{Folder: "support", FolderName: "Support", Address: "support+vip@acme.example", Header: "To", Rule: schemas.RulePlus}},
			Recipients: []schemas.Recipient{{Address: "support+vip@acme.example", Header: "To", Folder: "support", Used: true}, {Address: "info@acme.example", Header: "Delivered-To"}},
		},
		Message: message.Parse([]byte(raw), message.DefaultLimits()), Raw: []byte(raw),
	}
	if change != nil {
		change(&m)
	}
	out, err := s.Store.Persist(s.site.t.Context(), []mailstore.Mail{m})
	if err != nil {
		s.site.t.Fatal(err)
	}
	return out[0].MailID
}

// invalid makes a mail one that no folder has an address of.
func invalid(address string) func(*mailstore.Mail) {
	return func(m *mailstore.Mail) {
		m.Decision = schemas.Decision{
			Verdict: schemas.Invalid, Reason: schemas.ReasonNoMatchingFolder, ClassifiedAt: time.Now().UTC(), Revision: 3,
			Recipients: []schemas.Recipient{{Address: address, Header: "To", Used: true}},
		}
	}
}

// has fails the test for every text that is not in a page.
func has(t testing.TB, body string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if !strings.Contains(body, s) {
			t.Errorf("%q is missing in: %s", s, body)
		}
	}
}

// hasNot fails the test for every text that is in a page.
func hasNot(t testing.TB, body string, texts ...string) {
	t.Helper()
	for _, s := range texts {
		if strings.Contains(body, s) {
			t.Errorf("%q is in: %s", s, body)
		}
	}
}
