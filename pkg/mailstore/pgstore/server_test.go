//go:build full

package pgstore_test

import (
	"context"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/pgstore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
	"github.com/mailyard/mailyard/schemas"
)

func mails(n int) []mailstore.Mail {
	list := make([]mailstore.Mail, n)
	for i := range list {
		list[i] = storetest.NewMail("acme", "inbox", 1, uint32(i+1), 900)
	}
	return list
}

func TestStartsAtTheSameTimeMigrateOnce(t *testing.T) {
	t.Parallel()
	u := createDatabase(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := pgstore.Open(t.Context(), u, zap.NewNop())
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	wg.Wait()
}

func TestNewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	u := createDatabase(t)
	open(t, u)
	execute(t, u, `INSERT INTO mailyard_schema (version, name) VALUES (999, 'later')`)
	_, err := pgstore.Open(t.Context(), u, zap.NewNop())
	if !fault.IsPermanent(err) || !strings.Contains(err.Error(), "999") || !strings.Contains(err.Error(), "run the newer mailyard") {
		t.Errorf("Open: %v; want a permanent error that says what to do", err)
	}
}

func TestUnsuitableDatabasesAreRefused(t *testing.T) {
	t.Parallel()
	if _, err := pgstore.Open(t.Context(), "postgres://user:secret@[", zap.NewNop()); !fault.IsPermanent(err) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a URL that is none: %v", err)
	}
	if _, err := pgstore.Open(t.Context(), "postgres://user:secret@127.0.0.1:1/none", zap.NewNop()); !fault.IsUnavailable(err) || strings.Contains(err.Error(), "secret") {
		t.Errorf("a server that is away: %v", err)
	}
	u := createDatabase(t)
	for what, broken := range map[string]string{
		"correct user and password": regexp.MustCompile(`:[^:@/]*@`).ReplaceAllString(u, ":wrong@"),
		"create the database":       strings.Replace(u, "/mailyard_", "/mailyard_none_", 1),
	} {
		if _, err := pgstore.Open(t.Context(), broken, zap.NewNop()); !fault.IsPermanent(err) || !strings.Contains(err.Error(), what) {
			t.Errorf("want a permanent error that says to %s: %v", what, err)
		}
	}
	ascii := strings.Replace(u, "/mailyard_", "/mailyard_ascii_", 1)
	name := ascii[strings.LastIndex(ascii, "/")+1:]
	if i := strings.IndexByte(name, '?'); i >= 0 {
		name = name[:i]
	}
	execute(t, u, "CREATE DATABASE "+name+" ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
	t.Cleanup(func() { execute(t, u, "DROP DATABASE "+name+" WITH (FORCE)") })
	if _, err := pgstore.Open(t.Context(), ascii, zap.NewNop()); !fault.IsPermanent(err) || !strings.Contains(err.Error(), "ENCODING 'UTF8'") {
		t.Errorf("another encoding: %v", err)
	}
}

func TestLostConnectionsAreUnavailable(t *testing.T) {
	t.Parallel()
	u := createDatabase(t)
	s := open(t, u)
	batch := mails(5)
	if _, err := s.Persist(t.Context(), batch[:1]); err != nil {
		t.Fatal(err)
	}
	execute(t, u, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		out, err := s.Persist(ctx, batch)
		if err == nil {
			if out[0].New || !out[4].New {
				t.Errorf("outcomes after the reconnect: %+v", out)
			}
			break
		}
		if !fault.IsUnavailable(err) {
			t.Fatalf("Persist: %v; want Unavailable", err)
		}
	}
	execute(t, u, `ALTER DATABASE `+databaseOf(t, u)+` SET default_transaction_read_only = on`,
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	for range 3 {
		if _, err := s.Persist(ctx, []mailstore.Mail{storetest.NewMail("acme", "inbox", 1, 100, 900)}); !fault.IsUnavailable(err) {
			t.Errorf("a server that became read-only: %v; want Unavailable", err)
		}
	}
}

func databaseOf(t *testing.T, u string) string {
	t.Helper()
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(parsed.Path, "/")
}

// The pipeline's login needs no superuser: it owns the tables, or belongs to
// the role that does. One that row-level security applies to would not do.
func TestLoginOfThePipeline(t *testing.T) {
	t.Parallel()
	u := createDatabase(t)
	owner := databaseOf(t, u)
	member, stranger := owner+"_member", owner+"_stranger"
	t.Cleanup(func() {
		execute(t, u, "ALTER DATABASE "+owner+" OWNER TO CURRENT_USER", "DROP OWNED BY "+owner+", "+stranger, "DROP ROLE "+owner+", "+member+", "+stranger)
	})
	execute(t, u, "CREATE ROLE "+owner+" LOGIN PASSWORD 'p'", "CREATE ROLE "+member+" LOGIN PASSWORD 'p' IN ROLE "+owner, "CREATE ROLE "+stranger+" LOGIN PASSWORD 'p'",
		"ALTER DATABASE "+owner+" OWNER TO "+owner)
	as := func(role string) string {
		parsed, err := url.Parse(u)
		if err != nil {
			t.Fatal(err)
		}
		parsed.User = url.UserPassword(role, "p")
		return parsed.String()
	}
	open(t, as(owner))
	execute(t, u, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "+stranger)
	if _, err := pgstore.Open(t.Context(), as(stranger), zap.NewNop()); !fault.IsPermanent(err) || !strings.Contains(err.Error(), "BYPASSRLS") {
		t.Errorf("a login that row-level security applies to: %v; want a permanent error that says what to do", err)
	}
	s := open(t, as(member))
	batch := mails(3)
	for _, fresh := range []bool{true, false} {
		out, err := s.Persist(t.Context(), batch)
		if err != nil || out[2].New != fresh {
			t.Fatalf("Persist: %+v, %v", out, err)
		}
	}
	batch[0].Key.UIDValidity, batch[0].FetchedAt = 2, batch[0].FetchedAt.Add(time.Hour)
	if out, err := s.Persist(t.Context(), batch[:1]); err != nil || out[0].New {
		t.Errorf("under another UIDVALIDITY: %+v, %v", out, err)
	}
	if err := s.RecordDisposed(t.Context(), schemas.Disposed{Tenant: "acme", Mailbox: "inbox", UIDValidity: 1, UIDs: []uint32{2}, DisposedAt: time.Now()}); err != nil {
		t.Error(err)
	}
	if n, err := s.IndexPending(t.Context(), 10); err != nil || n != 3 {
		t.Errorf("IndexPending = %d, %v", n, err)
	}
	if found, err := s.Mails(t.Context(), mailstore.Query{Tenant: "acme", Text: "order"}); err != nil || len(found) != 3 {
		t.Errorf("%d mails are found, %v", len(found), err)
	}
}

// What another transaction is in the way of today may succeed tomorrow: it is
// tried again, and only what can never be stored is refused at once.
func TestRefusalIsNotFinalUnlessItIs(t *testing.T) {
	t.Parallel()
	u := createDatabase(t)
	s := open(t, u)
	if _, err := s.Persist(t.Context(), mails(1)); err != nil {
		t.Fatal(err)
	}
	execute(t, u, `CREATE UNIQUE INDEX in_the_way ON mails (mailbox)`)
	other := []mailstore.Mail{storetest.NewMail("acme", "inbox", 1, 2, 900)}
	if _, err := s.Persist(t.Context(), other); err == nil || fault.IsPermanent(err) || fault.IsUnavailable(err) {
		t.Errorf("another row in the way: %v; want an error of no class", err)
	}
	execute(t, u, `DROP INDEX in_the_way`, `ALTER TABLE mails ADD CONSTRAINT never CHECK (uid <> 2)`)
	if _, err := s.Persist(t.Context(), other); !fault.IsPermanent(err) {
		t.Errorf("a check violation: %v; want Permanent", err)
	}
}
