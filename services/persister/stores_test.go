package persister

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/sqlitestore"
	messaging "github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

func TestDatabaseThatIsAwayIsAskedNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var b breaker
		calls := 0
		call := func(result error) error {
			return b.do(func() error { calls++; return result })
		}
		refused, away := errors.New("refused"), fault.Unavailable(errors.New("away"))
		for _, result := range []error{nil, refused, nil, away} {
			if err := call(result); err != result {
				t.Errorf("%v became %v", result, err)
			}
		}
		calls = 0
		err := call(nil)
		if after, ok := fault.RetryAfter(err); calls != 0 || !fault.IsUnavailable(err) || !ok || after != awayTime {
			t.Errorf("right after: %v, %d calls; want to be told when to come again", err, calls)
		}
		<-time.After(openTime)
		release, ended := make(chan struct{}), make(chan error)
		go func() {
			ended <- b.do(func() error { <-release; return away })
		}()
		synctest.Wait()
		if err := call(nil); !fault.IsUnavailable(err) || calls != 0 {
			t.Errorf("beside the call that finds out: %v, %d calls", err, calls)
		}
		close(release)
		if err := <-ended; err != away {
			t.Errorf("the call that finds out: %v", err)
		}
		if err := call(nil); !fault.IsUnavailable(err) || calls != 0 {
			t.Errorf("still away: %v, %d calls", err, calls)
		}
		<-time.After(openTime)
		for range 2 {
			if err := call(nil); err != nil {
				t.Errorf("back again: %v", err)
			}
		}
		if calls != 2 {
			t.Errorf("%d calls after it came back; want 2", calls)
		}
	})
}

const neighbour = "neighbour"

// runWithNeighbour runs a persister of two tenants, each with a database.
func (r *rig) runWithNeighbour(other mailstore.Store) {
	r.t.Helper()
	doc := config.DefaultTenant()
	doc.ID, doc.Name, doc.MessagingDatabase = neighbour, "Neighbour", "other"
	raw, err := json.Marshal(config.TenantRecord{Document: doc, Revision: 1})
	if err != nil {
		r.t.Fatal(err)
	}
	kv, err := r.Conn.JetStream().KeyValue(r.t.Context(), schemas.BucketConfig)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := kv.Put(r.t.Context(), config.TenantRecordKey(neighbour), raw); err != nil {
		r.t.Fatal(err)
	}
	r.Run(New(Config{Bus: r.Bus(), Stores: map[string]mailstore.Store{"default": r.store, "other": other}, Logger: r.Logger}))
}

func (r *rig) otherStore() *faultyStore {
	r.t.Helper()
	store, err := sqlitestore.Open(r.t.Context(), filepath.Join(r.t.TempDir(), "other.db"), zap.NewNop())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := store.Close(); err != nil {
			r.t.Error(err)
		}
	})
	return &faultyStore{Store: store}
}

func ofNeighbour(uid uint32) schemas.MailClassified {
	e := classified(uid)
	e.Tenant = neighbour
	e.ID = e.Key().ID()
	return e
}

func TestMailOfADatabaseThatIsAwayWaitsOnRetry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := r.otherStore()
	other.away = 1 << 30
	r.runWithNeighbour(other)
	for uid := range uint32(5) {
		r.publish(ofNeighbour(uid + 1))
		r.Eventually("it waits", func() bool { return r.Left(schemas.StreamRetry) == uint64(uid+1) })
	}
	r.publishUIDs(1, 5)
	r.Eventually("the others' mail is stored", func() bool {
		return len(r.asked(schemas.ActionPersisted)) == 5 && r.Left(schemas.StreamClassifiedLight) == 0
	})
	other.mu.Lock()
	defer other.mu.Unlock()
	if other.calls > 2 || r.parked.Len() != 0 {
		t.Errorf("the database was asked %d times for 5 mails, %d dead letters", other.calls, r.parked.Len())
	}
}

func TestDisposalsAreRecordedBesideADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := r.otherStore()
	other.deaf = true
	r.runWithNeighbour(other)
	r.publishUIDs(1, 1)
	r.Eventually("it is stored", func() bool { return len(r.asked(schemas.ActionPersisted)) == 1 })
	for range 3 {
		r.publishDisposed(neighbour, 1)
	}
	r.publishDisposed(tenant, 1)
	r.Eventually("it is recorded", func() bool { return r.stored()[0].DisposedTo == "Done" })
	r.Eventually("the others wait", func() bool { return r.Left(schemas.StreamRetry) == 3 })
	other.mu.Lock()
	defer other.mu.Unlock()
	if other.told != 1 {
		t.Errorf("the database was asked %d times; want once", other.told)
	}
}

func TestStartWithADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	away, err := messaging.Open(t.Context(), map[string]secret.String{"other": secret.NewString("postgres://u@127.0.0.1:1/db")}, r.Logger)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := away.Close(); err != nil {
			t.Error(err)
		}
	})
	r.runWithNeighbour(away["other"])
	r.publish(ofNeighbour(1))
	r.publishUIDs(1, 5)
	r.Eventually("its mail waits, and the others' is stored", func() bool {
		return len(r.asked(schemas.ActionPersisted)) == 5 && r.Left(schemas.StreamClassifiedLight) == 0 && r.Left(schemas.StreamRetry) == 1
	})
	if r.parked.Len() != 0 {
		t.Errorf("%d dead letters", r.parked.Len())
	}
}

// A slowStore begins to store when the other one does.
type slowStore struct {
	mailstore.Store
	mine, others chan struct{}
}

func (s *slowStore) Persist(ctx context.Context, mails []mailstore.Mail) ([]mailstore.Outcome, error) {
	close(s.mine)
	select {
	case <-s.others:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return s.Store.Persist(ctx, mails)
}

func TestDatabasesOfABatchDoNotWaitForEachOther(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, second := make(chan struct{}), make(chan struct{})
	r.store.Store = &slowStore{Store: r.store.Store, mine: first, others: second}
	other := &slowStore{Store: r.otherStore(), mine: second, others: first}
	r.publish(classified(1), ofNeighbour(1))
	r.runWithNeighbour(other)
	r.Eventually("both are stored", func() bool { return r.Left(schemas.StreamClassifiedLight) == 0 })
}
