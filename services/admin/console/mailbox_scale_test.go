package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// BenchmarkListOf10000 measures the list of a tenant with 10,000 mailboxes.
func BenchmarkListOf10000(b *testing.B) {
	s, o := newOfficeSite(b)
	inAllStates(b, o, 10000)
	ann := s.as(o.Ann)
	for name, query := range map[string]string{"first": "", "search": "?q=sales", "sorted": "?sort=-problem", "attention": "?attention=1&sort=username"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if status, html := ann.get("/t/acme/mailboxes" + query); status != http.StatusOK || !strings.Contains(html, "10,001") {
					b.Fatal(status)
				}
			}
		})
	}
	b.Run("cold", func(b *testing.B) { // nothing is known yet
		for b.Loop() {
			con, err := build(Config{Desk: again(o.Desk), Accounts: o.Accounts, Logger: o.Logger}, s.console.look)
			if err != nil {
				b.Fatal(err)
			}
			cold := &site{t: b, console: con, handler: con.protect(con.mux())}
			if status, _ := cold.as(o.Ann).get("/t/acme/mailboxes"); status != http.StatusOK {
				b.Fatal(status)
			}
		}
	})
}

// again is a desk that has read nothing yet.
func again(d *operation.Desk) *operation.Desk {
	return &operation.Desk{Control: d.Control, Accounts: d.Accounts, Stores: d.Stores, Bus: d.Bus, Leases: d.Leases, Doctor: d.Doctor, Mail: d.Mail, Databases: d.Databases, Version: d.Version, Logger: d.Logger}
}
