package storetest

import (
	"database/sql"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/messaging"
)

// A Database is an empty messaging database.
type Database struct {
	Dialect messaging.Dialect
	Open    func(t testing.TB) mailstore.Store // any number of times; closed when the test ends
	SQL     func(t testing.TB) *sql.DB         // after Open; as the owner of the tables
}

// Run runs the suite. fresh returns an empty database for each test.
func Run(t *testing.T, fresh func(t testing.TB) Database) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, db Database)
	}{
		{"a mail is stored once", storedOnce},
		{"a batch may hold a mail twice", twiceInBatch},
		{"the first decision stays", firstDecisionStays},
		{"concurrent writers store each mail once", concurrentWriters},
		{"storing, disposing and indexing go on at once", allAtOnce},
		{"everything of a mail comes back", comesBack},
		{"clones share one mail", clones},
		{"invalid mail has a row", invalid},
		{"large content comes back", largeContent},
		{"a new UIDVALIDITY is recognised", rekeyed},
		{"identical mails stay apart", identicalMails},
		{"another mail under a known key is stored", otherMailUnderAKey},
		{"a mail that its server wrote anew is recognised", rewrittenMail},
		{"identical mails stay apart under a new UIDVALIDITY", identicalRekeyed},
		{"only the same mail of the same mailbox is recognised", notRekeyed},
		{"disposed mail is not recognised", disposedNotRekeyed},
		{"a batch may hold a mail under two UIDVALIDITYs", rekeyedInBatch},
		{"concurrent writers recognise each mail once", concurrentRekey},
		{"a late delivery of the old UIDVALIDITY changes nothing", lateDelivery},
		{"a key that comes back for another mail", keyComesBack},
		{"hostile text is stored", hostileText},
		{"absurd dates are unknown", absurdDates},
		{"ten thousand recipients are stored", manyRecipients},
		{"oversized fields are shortened", oversizedFields},
		{"a mail without a message is stored", withoutMessage},
		{"disposal is recorded once", disposal},
		{"a poison mail spoils only itself", poison},
		{"a cancelled call stores nothing", cancelled},
		{"mails are found", queries},
		{"mails are paged newest first", paging},
		{"text is found once it is indexed", search},
		{"tenants are kept apart", tenantsApart},
		{"mail is counted", stats},
		{"counts for ever are the sums of the days", totals},
		{"undisposed mail of a mailbox is counted", undisposedOfMailbox},
		{"disposals that are overdue are asked for", overdue},
		{"overdue mail has the key that it has now", overdueRekeyed},
		{"overdue mail is given to one of those who ask", overdueShared},
		{"throughput is told by intervals", throughput},
		{"throughput of much mail is told by a sample", throughputSample},
		{"addresses without a folder are listed", unmatchedAddresses},
		{"old addresses without a folder are left out", unmatchedBounds},
		{"lists are by time, and pages follow them", listsByTime},
		{"filters combine whether few or many mails match", fewAndMany},
		{"odd queries find nothing or are refused", oddQueries},
		{"a tenant's queries see the tenant's mail only", queriesApart},
		{"what is not there is not found", notFound},
		{"deleting a mail deletes all of it", deletion},
		{"an open database can be opened again", openedAgain},
		{"an older database is brought forward", upgraded},
		{"the page for consumers is true", consumers},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, fresh(t))
		})
	}
}

// persist persists the mails and fails the test if that fails.
func persist(t testing.TB, s mailstore.Store, mails ...mailstore.Mail) []mailstore.Outcome {
	t.Helper()
	out, err := s.Persist(t.Context(), mails)
	if err != nil {
		t.Fatalf("Persist: %v", err)
	}
	if len(out) != len(mails) {
		t.Fatalf("Persist returned %d outcomes for %d mails", len(out), len(mails))
	}
	return out
}

func list(t testing.TB, s mailstore.Store, q mailstore.Query) []mailstore.Summary {
	t.Helper()
	ms, err := s.Mails(t.Context(), q)
	if err != nil {
		t.Fatalf("Mails(%+v): %v", q, err)
	}
	return ms
}

// wantStored fails the test unless the tenant has that many mails.
func wantStored(t testing.TB, s mailstore.Store, tenant string, want int) {
	t.Helper()
	if got := len(list(t, s, mailstore.Query{Tenant: tenant, Limit: mailstore.MaxLimit})); got != want {
		t.Errorf("%d mails of %s are stored, want %d", got, tenant, want)
	}
}

func detail(t testing.TB, s mailstore.Store, tenant, id string) mailstore.Detail {
	t.Helper()
	d, err := s.Mail(t.Context(), tenant, id)
	if err != nil {
		t.Fatalf("Mail(%s, %s): %v", tenant, id, err)
	}
	return d
}

// dispose records the disposal of mails of one mailbox and UIDVALIDITY.
func dispose(t testing.TB, s mailstore.Store, mails ...mailstore.Mail) {
	t.Helper()
	if err := s.RecordDisposed(t.Context(), recorded(mails...)); err != nil {
		t.Fatalf("RecordDisposed: %v", err)
	}
}

// recorded tells that mails of one mailbox left the inbox.
func recorded(mails ...mailstore.Mail) schemas.Disposed {
	key := mails[0].Key
	d := schemas.Disposed{
		Tenant: key.Tenant, Mailbox: key.Mailbox, UIDValidity: key.UIDValidity,
		Action: schemas.ActionPersisted, Method: "move", Destination: "PersistedCCSPItems", DisposedAt: disposedAt(),
	}
	for _, m := range mails {
		d.UIDs = append(d.UIDs, m.Key.UID)
	}
	return d
}

func disposedAt() time.Time { return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC) }
