package control

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/schemas"
)

// What one tenant asks does not cost more for what all the others have.
func TestATenantsRowsAreFoundByAnIndex(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "control.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	audit, auditArgs := AuditQuery{Tenant: "acme", Kind: schemas.KindMailbox, ID: "support", Before: 100}.where()
	ofTenant, args := matching("tenant", "acme")
	for what, test := range map[string]struct {
		query string
		args  []any
		want  string
	}{
		"audit":     {`SELECT * FROM audit WHERE TRUE` + audit + ` ORDER BY id DESC LIMIT 100`, auditArgs, "INDEX audit_tenant (tenant=? AND"},
		"mailboxes": {`SELECT * FROM mailboxes WHERE deleted_at IS NULL` + ofTenant + ` ORDER BY tenant, id`, args, "(tenant=?)"},
		"folders":   {`SELECT * FROM folders WHERE deleted_at IS NULL` + ofTenant + ` ORDER BY tenant, id`, args, "(tenant=?)"},
	} {
		var plan []string
		err := s.read(t.Context(), func(q querier) error {
			return q.each(t.Context(), func(row scanner) error {
				var id, parent, unused int
				var detail string
				err := row.Scan(&id, &parent, &unused, &detail)
				plan = append(plan, detail)
				return err
			}, `EXPLAIN QUERY PLAN `+test.query, test.args...)
		})
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(plan, "; "); !strings.Contains(text, test.want) || strings.Contains(text, "TEMP B-TREE") {
			t.Errorf("%s: %s; want a search by %s", what, text, test.want)
		}
	}
}
