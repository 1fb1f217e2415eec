package sqlitestore_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// A page of a tenant begins in the index, wherever that is: how much mail others
// have does not matter, and cannot be told by the time that it takes.
func TestPagesBeginInTheIndex(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "mail.db")
	open(t, path)
	const page = `SELECT m.seq FROM mails m WHERE m.tenant = 'acme' AND (m.persisted_at, m.seq) < ('2026-03-01', 7) ORDER BY m.persisted_at DESC, m.seq DESC LIMIT 51`
	var id, parent, unused int
	var plan string
	if err := connect(t, path).QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+page).Scan(&id, &parent, &unused, &plan); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(plan, "SEARCH m USING COVERING INDEX mails_tenant (tenant=? AND persisted_at<?)") {
		t.Errorf("the plan is %s", plan)
	}
}
