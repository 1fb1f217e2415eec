package control

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/secret"
)

// Dump returns every value of every table, for tests that look for what must
// not be there.
func Dump(t *testing.T, s *Store) string {
	t.Helper()
	var out []byte
	for _, table := range []string{"meta", "tenants", "folders", "folder_addresses", "mailboxes", "mailbox_folders", "audit", "outbox"} {
		rows, err := s.db.QueryContext(context.Background(), "SELECT * FROM "+table)
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			for _, v := range values {
				if raw, ok := (*v.(*any)).([]byte); ok {
					out = append(append(out, raw...), '\n')
					continue
				}
				out = fmt.Appendln(out, *v.(*any))
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return string(out)
}

// Ciphertexts counts the wrapped keys and sealed passwords.
func Ciphertexts(t *testing.T, s *Store) (n int) {
	t.Helper()
	err := s.db.QueryRow(`SELECT (SELECT count(*) FROM tenants WHERE wrapped_key IS NOT NULL) + (SELECT count(*) FROM mailboxes WHERE password IS NOT NULL)`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Exec runs a statement past all rules.
func Exec(t *testing.T, s *Store, query string, args ...any) error {
	t.Helper()
	_, err := s.db.Exec(s.dialect.rebind(query), args...)
	return err
}

// OutboxSize returns how many changes wait to be published.
func OutboxSize(t *testing.T, s *Store) (n int) {
	t.Helper()
	if err := s.db.QueryRow(`SELECT count(*) FROM outbox`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Sealed returns a tenant's wrapped key and a mailbox's password as stored.
func Sealed(t *testing.T, s *Store, tenant, mailbox string) (wrapped, password []byte) {
	t.Helper()
	err := s.db.QueryRow(s.dialect.rebind(`SELECT t.wrapped_key, m.password FROM tenants t JOIN mailboxes m ON m.tenant = t.id WHERE t.id = ? AND m.id = ?`), tenant, mailbox).Scan(&wrapped, &password)
	if err != nil {
		t.Fatal(err)
	}
	return wrapped, password
}

// Rotating reports whether a tenant's key is being rotated. Tenant.Rotation
// counts its mailboxes, which takes long with the race detector.
func Rotating(t *testing.T, s *Store, tenant string) (rotating bool) {
	t.Helper()
	if err := s.db.QueryRow(s.dialect.rebind(`SELECT rotation IS NOT NULL FROM tenants WHERE id = ?`), tenant).Scan(&rotating); err != nil {
		t.Fatal(err)
	}
	return rotating
}

// Fill makes mailboxes of a tenant like the given one, m00000 and so on, without
// an event of each.
func Fill(t *testing.T, s *Store, like Mailbox, password secret.String, n int) {
	t.Helper()
	err := s.write(context.Background(), Actor{Name: "test"}, func(w *writer) error {
		w.changes++
		tenant, _, err := w.tenant(context.Background(), like.Document.Tenant)
		if err != nil {
			return err
		}
		key, err := w.key(tenant)
		if err != nil {
			return err
		}
		m := like
		m.Document.Folders, m.Document.Enabled, m.Revision = nil, false, w.revision
		const rows = 200
		for first := 0; first < n; first += rows {
			var values []string
			var args []any
			for i := first; i < min(first+rows, n); i++ {
				m.Document.ID = fmt.Sprintf("m%05d", i)
				m.Document.Name, m.Document.Username = m.Document.ID, m.Document.ID+"@"+like.Document.Tenant
				document, err := json.Marshal(m.Document)
				if err != nil {
					return err
				}
				if m.password, err = key.Seal(like.Document.Tenant, m.Document.ID, password); err != nil {
					return err
				}
				values = append(values, `(?, ?, ?, ?, ?, ?, ?, ?, ?)`)
				args = append(args, m.Document.Tenant, m.Document.ID, m.Document.Name, m.Document.Username, string(document), m.Revision, m.password, formatTime(w.at), formatTime(w.at))
			}
			_, err := w.exec(context.Background(), `INSERT INTO mailboxes (tenant, id, name_key, username_key, document, revision, password, created_at, updated_at) VALUES `+strings.Join(values, ", "), args...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Step takes every rotation one step further.
func (r *Rotator) Step(ctx context.Context) error {
	_, err := r.step(ctx)
	return err
}

// Step does one round of Run, and looks at the bucket whether it is time or not.
func (p *Publisher) Step(ctx context.Context) error {
	p.checked = time.Time{}
	return p.step(ctx)
}

// Put is Publisher.put of a record as JSON.
func (p *Publisher) Put(ctx context.Context, kv jetstream.KeyValue, key string, value []byte) error {
	return p.put(ctx, kv, key, record{revisionOf(value), value})
}

// CopyOutbox and RestoreOutbox bring back what a publisher has cleared.
func CopyOutbox(t *testing.T, s *Store) {
	t.Helper()
	if err := Exec(t, s, `CREATE TABLE kept AS SELECT * FROM outbox`); err != nil {
		t.Fatal(err)
	}
}

func RestoreOutbox(t *testing.T, s *Store) {
	t.Helper()
	if err := Exec(t, s, `INSERT INTO outbox (event_id, event) SELECT event_id, event FROM kept`); err != nil {
		t.Fatal(err)
	}
}
