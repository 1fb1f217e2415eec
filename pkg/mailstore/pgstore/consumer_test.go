//go:build full

package pgstore_test

import (
	"context"
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/storetest"
)

// asReader runs a query on a connection with the rights of mailyard_reader, and
// returns its only value.
func asReader(t *testing.T, conn *sql.Conn, setting, query string) (n int, err error) {
	t.Helper()
	for _, s := range []string{`SET ROLE mailyard_reader`, `SELECT set_config('app.tenant', '` + setting + `', false)`} {
		if _, err := conn.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return n, conn.QueryRowContext(t.Context(), query).Scan(&n)
}

func TestReaderSeesItsTenantOnly(t *testing.T) {
	t.Parallel()
	u := createDatabase(t)
	s := open(t, u)
	a, b := storetest.NewMail("acme", "inbox", 1, 1, 900), storetest.NewMail("globex", "inbox", 1, 1, 900)
	if _, err := s.Persist(t.Context(), []mailstore.Mail{a, b}); err != nil {
		t.Fatal(err)
	}
	conn, err := connect(t, u).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, view := range []string{"v1_items", "v1_mails", "v1_addresses", "v1_raw", "v1_ledger", "v1_undisposed", "v1_daily", "mails"} {
		per := 1
		if view == "v1_addresses" {
			per = 3
		}
		for setting, want := range map[string]int{"acme": per, "*": 2 * per, "": 0, "initech": 0} {
			if n, err := asReader(t, conn, setting, "SELECT count(*) FROM "+view); err != nil || n != want {
				t.Errorf("%s with app.tenant %q has %d rows, %v; want %d", view, setting, n, err, want)
			}
		}
		if n, err := asReader(t, conn, "acme", "SELECT count(*) FROM "+view+" WHERE tenant = 'globex'"); err != nil || n != 0 {
			t.Errorf("%s shows %d rows of another tenant, %v", view, n, err)
		}
	}
	for _, statement := range []string{"DELETE FROM mails", "UPDATE mails SET subject = ''", "DELETE FROM v1_daily", "SELECT count(*) FROM mail_search"} {
		if _, err := asReader(t, conn, "acme", statement); err == nil {
			t.Errorf("the reader may run %s", statement)
		}
	}
}

// The order in which transactions commit is not that of their items: without
// the cursor of README.md, a consumer would pass over the late item.
func TestNoItemAppearsBehindTheCursor(t *testing.T) {
	t.Parallel()
	u := createDatabase(t)
	s := open(t, u)
	if _, err := s.Persist(t.Context(), []mailstore.Mail{storetest.NewMail("acme", "inbox", 1, 1, 900)}); err != nil {
		t.Fatal(err)
	}
	db := connect(t, u)
	late, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := late.ExecContext(t.Context(), `INSERT INTO items (tenant, item_id, mail_seq, position, folder, folder_name, matched_address, matched_header, matched_rule)
		SELECT tenant, 'late', mail_seq, 2, folder, folder_name, matched_address, matched_header, matched_rule FROM items`); err != nil {
		t.Fatal(err)
	}
	second := storetest.NewMail("acme", "inbox", 1, 2, 900)
	if _, err := s.Persist(t.Context(), []mailstore.Mail{second}); err != nil {
		t.Fatal(err)
	}

	var taken []string
	var txid, seq int64
	take := func() {
		t.Helper()
		rows, err := db.QueryContext(t.Context(), `SELECT txid, seq, item_id FROM v1_items
			WHERE tenant = 'acme' AND folder = 'support' AND settled AND (txid, seq) > ($1, $2) ORDER BY txid, seq`, txid, seq)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&txid, &seq, &id); err != nil {
				t.Fatal(err)
			}
			taken = append(taken, id)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
	secondItem := mailstore.ItemID(second.Key.ID(), "support")
	take()
	if slices.Contains(taken, secondItem) {
		t.Error("an item is settled while an older transaction is open")
	}
	if err := late.Commit(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for !slices.Contains(taken, secondItem) { // other tests have transactions on the same server
		select {
		case <-ctx.Done():
			t.Fatalf("the item is not settled; taken: %v", taken)
		case <-time.After(10 * time.Millisecond):
		}
		take()
	}
	if len(taken) != 3 || taken[1] != "late" || taken[2] != secondItem {
		t.Errorf("taken %v, want three items, the late one before the last", taken)
	}
}
