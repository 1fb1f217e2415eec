package control

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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
