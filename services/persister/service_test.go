package persister

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/sqlitestore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/servicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tenant = servicetest.Tenant

// A faultyStore is a messaging database that refuses some mails, and is away
// for some calls.
type faultyStore struct {
	mailstore.Store
	mu     sync.Mutex
	refuse uint32 // UID
	away   int    // how many more calls fail
	calls  int
	deaf   bool // whether disposals cannot be recorded
	told   int  // calls of RecordDisposed
}

func (s *faultyStore) RecordDisposed(ctx context.Context, d schemas.Disposed) error {
	s.mu.Lock()
	deaf := s.deaf
	s.told++
	s.mu.Unlock()
	if deaf {
		return fault.Unavailable(errors.New("the server is away"))
	}
	return s.Store.RecordDisposed(ctx, d)
}

func (s *faultyStore) Persist(ctx context.Context, mails []mailstore.Mail) ([]mailstore.Outcome, error) {
	s.mu.Lock()
	s.calls++
	away := s.away > 0
	if away {
		s.away--
	}
	refused := s.refuse != 0 && slices.ContainsFunc(mails, func(m mailstore.Mail) bool { return m.Key.UID == s.refuse })
	s.mu.Unlock()
	switch {
	case away:
		return nil, fault.Unavailable(errors.New("the disk is full"))
	case refused && len(mails) == 1:
		return nil, fault.Permanent(errors.New("the database cannot hold it"))
	case refused:
		return nil, errors.New("the database refuses the batch")
	}
	return s.Store.Persist(ctx, mails)
}

func (s *faultyStore) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// A rig is a persister with a database.
type rig struct {
	*servicetest.Bench
	t        *testing.T
	store    *faultyStore
	disposed *servicetest.Events[schemas.MailDispose]
	parked   *servicetest.Events[schemas.MailParked]
	told     *servicetest.Events[schemas.MailPersisted]
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := newDeafRig(t)
	r.disposed = servicetest.Listen[schemas.MailDispose](r.Bench, "mail.v1.dispose.acme.*")
	r.parked = servicetest.Listen[schemas.MailParked](r.Bench, "mail.v1.event.dead.>")
	r.told = servicetest.Listen[schemas.MailPersisted](r.Bench, "mail.v1.event.persisted.>")
	return r
}

// newDeafRig listens to nothing: without a stream, nobody is there to answer.
func newDeafRig(t *testing.T) *rig {
	t.Helper()
	store, err := sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "messaging.db"), zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return &rig{Bench: servicetest.New(t), t: t, store: &faultyStore{Store: store}}
}

func (r *rig) run() (stop func() error) {
	r.t.Helper()
	return r.Run(New(Config{Bus: r.Bus(), Stores: map[string]mailstore.Store{"default": r.store}, Logger: r.Logger}))
}

func classified(uid uint32) schemas.MailClassified {
	now := time.Now().UTC()
	key := schemas.MailKey{Tenant: tenant, Mailbox: "info", UIDValidity: 7, UID: uid}
	raw := imaptest.Message(int(uid), 500)
	return schemas.MailClassified{
		Attributes: schemas.NewAttributes(schemas.TypeMailClassified, key.Source(), key.Subject(), key.ID(), schemas.ContentDecision, now),
		MailAttributes: schemas.MailAttributes{
			Tenant: tenant, Mailbox: "info", UIDValidity: 7, UID: uid, Lane: schemas.Light, Size: int64(len(raw)),
			SHA256: fmt.Sprintf("%064x", uid), InternalDate: now, FetchedAt: now, Generation: now.UnixMilli(),
		},
		Data: schemas.ClassifiedMail{
			Decision: schemas.Decision{
				Verdict: schemas.Accepted, Revision: 1, ClassifiedAt: now,
				Clones: []schemas.Clone{{Folder: "support", FolderName: "Support", Address: "support@example.com", Header: "To", Rule: schemas.RuleExact}},
			},
			Mail: raw,
		},
	}
}

func (r *rig) publish(events ...schemas.MailClassified) {
	r.t.Helper()
	for _, e := range events {
		if err := r.Conn.Publish(r.t.Context(), schemas.SubjectClassified(e.Lane, tenant, "info"), e, ""); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *rig) publishUIDs(first, last uint32) {
	r.t.Helper()
	for uid := first; uid <= last; uid++ {
		r.publish(classified(uid))
	}
}

func (r *rig) publishDisposed(of string, uids ...uint32) {
	r.t.Helper()
	now := time.Now().UTC()
	d := schemas.Disposed{Tenant: of, Mailbox: "info", UIDValidity: 7, UIDs: uids, Action: schemas.ActionPersisted, Method: "move", Destination: "Done", DisposedAt: now}
	event := schemas.MailDisposed{Attributes: schemas.NewAttributes(schemas.TypeMailDisposed, schemas.Source(of, "info"), "7", "x", schemas.ContentJSON, now), Data: d}
	if err := r.Conn.Publish(r.t.Context(), schemas.SubjectDisposed(of, "info"), event, ""); err != nil {
		r.t.Fatal(err)
	}
}

// asked returns for how many mails an action was asked, by UID.
func (r *rig) asked(action schemas.Action) map[uint32]int {
	got := map[uint32]int{}
	for _, e := range r.disposed.All() {
		if e.Data.Action == action {
			for _, uid := range e.Data.UIDs {
				got[uid]++
			}
		}
	}
	return got
}

func (r *rig) stored() []mailstore.Summary {
	r.t.Helper()
	mails, err := r.store.Mails(r.t.Context(), mailstore.Query{Limit: mailstore.MaxLimit})
	if err != nil {
		r.t.Fatal(err)
	}
	return mails
}

func TestMailIsStoredThenAnnouncedThenAcknowledged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run()
	r.publishUIDs(1, 30)
	r.publish(classified(5)) // once more
	r.Eventually("disposal is asked for all", func() bool { return len(r.asked(schemas.ActionPersisted)) == 30 })
	r.Eventually("all is acknowledged", func() bool { return r.Left(schemas.StreamClassifiedLight) == 0 })
	if n := len(r.stored()); n != 30 {
		t.Errorf("%d rows for 30 mails", n)
	}
	if n := len(r.told.All()); n < 30 {
		t.Errorf("%d items were told of; want 30", n)
	}
}

func TestOneBadMailDoesNotTakeItsBatchAlong(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.refuse = 7
	r.publishUIDs(1, 20)
	r.run()
	r.Eventually("the others are stored", func() bool { return len(r.asked(schemas.ActionPersisted)) == 19 })
	r.Eventually("the bad one is a dead letter", func() bool { return r.parked.Len() == 1 })
	if p := r.parked.All()[0].Data; p.Stage != schemas.StagePersister || !slices.Equal(p.UIDs, []uint32{7}) {
		t.Errorf("parked: %+v", p)
	}
	if _, ok := r.asked(schemas.ActionPersisted)[7]; ok || len(r.stored()) != 19 {
		t.Error("the bad mail counts as stored")
	}
}

func TestDatabaseThatIsAwayMakesNoDeadLetters(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.away = 4
	r.publishUIDs(1, 20)
	r.run()
	r.Eventually("all are stored after the outage", func() bool { return len(r.asked(schemas.ActionPersisted)) == 20 })
	r.Eventually("all is acknowledged", func() bool { return r.Left(schemas.StreamClassifiedLight) == 0 })
	if len(r.stored()) != 20 || r.parked.Len() != 0 || r.Left(schemas.StreamRetry) != 0 {
		t.Errorf("%d rows, %d dead letters, %d retries", len(r.stored()), r.parked.Len(), r.Left(schemas.StreamRetry))
	}
}

func TestStopDuringAnOutageGivesTheMailsBackAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.away = 1 << 30
	stop := r.run()
	r.publishUIDs(1, 5)
	r.Eventually("the database was asked twice", func() bool {
		r.store.mu.Lock()
		defer r.store.mu.Unlock()
		return r.store.calls >= 2
	})
	r.stopsSoon(stop)
	r.store.set(func() { r.store.away = 0 })
	r.run()
	r.Eventually("the next one stores them", func() bool { return len(r.asked(schemas.ActionPersisted)) == 5 })
}

func TestStopWhileTheDisposalCannotBeAskedForGivesTheMailsBackAtOnce(t *testing.T) {
	t.Parallel()
	r := newDeafRig(t)
	stop := r.run()
	if err := r.Conn.JetStream().DeleteStream(t.Context(), schemas.StreamDispose); err != nil {
		t.Fatal(err)
	}
	r.publishUIDs(1, 3)
	r.Eventually("the announcement waits", func() bool { return r.Logs.FilterMessage("publishing waits").Len() > 0 })
	r.stopsSoon(stop)
	if n, retries := r.Left(schemas.StreamClassifiedLight), r.Left(schemas.StreamRetry); n != 3 || retries != 0 {
		t.Errorf("%d messages are left and %d wait for a retry; want 3, 0", n, retries)
	}
	r.NATS.Provision(t)
	r.run()
	r.Eventually("the next one asks for it", func() bool { return r.Left(schemas.StreamDispose) > 0 && r.Left(schemas.StreamClassifiedLight) == 0 })
}

func TestStopWhileADisposalCannotBeRecordedGivesItBackAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.deaf = true
	stop := r.run()
	r.publishUIDs(2, 2)
	r.Eventually("it is stored", func() bool { return len(r.asked(schemas.ActionPersisted)) == 1 })
	r.publishDisposed(tenant, 2)
	r.Eventually("it cannot be recorded", func() bool {
		return r.Logs.FilterMessage("recording a disposal waits for the messaging database").Len() > 0
	})
	r.stopsSoon(stop)
	if retries := r.Left(schemas.StreamRetry); retries != 0 {
		t.Errorf("%d retries; want none", retries)
	}
	r.store.set(func() { r.store.deaf = false })
	r.run()
	r.Eventually("the next one records it", func() bool { return len(r.stored()) == 1 && r.stored()[0].DisposedTo == "Done" })
}

// stopsSoon stops the service without a hard stop.
func (r *rig) stopsSoon(stop func() error) {
	r.t.Helper()
	began := time.Now()
	if err := stop(); err != nil {
		r.t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		r.t.Errorf("stopping took %s", took)
	}
}

func TestMailWhoseBlobIsGoneIsReleased(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run()
	e := classified(1)
	e.Lane, e.DataRef, e.Size = schemas.Large, "nowhere.1", 300_000
	r.publish(e)
	r.Eventually("it is released", func() bool { return r.asked(schemas.ActionRelease)[1] == 1 })
	r.Eventually("and acknowledged", func() bool { return r.Left(schemas.StreamClassifiedLarge) == 0 })
	if len(r.stored()) != 0 || r.parked.Len() != 0 {
		t.Errorf("%d rows, %d dead letters", len(r.stored()), r.parked.Len())
	}
}

func TestBlobIsStoredWholeAndDeletedAfterwards(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run()
	blobs, err := r.Conn.Blobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	raw := imaptest.Message(1, 400_000)
	if _, err := blobs.Put(t.Context(), "blob.1", bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	e := classified(1)
	e.Lane, e.DataRef, e.Size = schemas.Large, "blob.1", int64(len(raw))
	e.Data.Mail = e.Data.Mail[:200]
	r.publish(e)
	r.Eventually("it is stored", func() bool { return len(r.asked(schemas.ActionPersisted)) == 1 })
	got, err := r.store.Raw(t.Context(), tenant, e.Key().ID())
	if err != nil || !bytes.Equal(got, raw) {
		t.Errorf("%d bytes are stored, %v; want %d", len(got), err, len(raw))
	}
	r.Eventually("the blob is gone", func() bool { _, err := blobs.Get(t.Context(), "blob.1"); return errors.Is(err, bus.ErrBlobMissing) })
}

func TestAcknowledgedOnlyWhenTheDisposalIsAskedFor(t *testing.T) {
	t.Parallel()
	r := newDeafRig(t)
	r.run()
	if err := r.Conn.JetStream().DeleteStream(t.Context(), schemas.StreamDispose); err != nil {
		t.Fatal(err)
	}
	r.publishUIDs(1, 3)
	r.Eventually("they are stored", func() bool { return len(r.stored()) == 3 })
	r.Eventually("the announcement waits", func() bool { return r.Logs.FilterMessage("publishing waits").Len() > 0 })
	if n := r.Left(schemas.StreamClassifiedLight); n != 3 {
		t.Errorf("%d of 3 messages are left: acknowledged before the disposal was asked for", n)
	}
	r.NATS.Provision(t)
	r.Eventually("disposal is asked for", func() bool { return r.Left(schemas.StreamDispose) > 0 })
	r.Eventually("and all is acknowledged", func() bool { return r.Left(schemas.StreamClassifiedLight) == 0 })
}

func TestDisposalsAreRecorded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run()
	r.publishUIDs(1, 2)
	r.Eventually("they are stored", func() bool { return len(r.asked(schemas.ActionPersisted)) == 2 })
	r.publishDisposed(tenant, 2, 99)
	r.Eventually("it is recorded", func() bool {
		return slices.ContainsFunc(r.stored(), func(m mailstore.Summary) bool { return m.UID == 2 && m.DisposedTo == "Done" })
	})
	for _, m := range r.stored() {
		if m.UID == 1 && m.DisposedAt != nil {
			t.Error("another mail is recorded as disposed of")
		}
	}
}

func TestTenantWithoutADatabaseWaitsOnRetry(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.PutTenant("elsewhere")
	r.run()
	r.publishUIDs(1, 1)
	r.Eventually("it is tried again later", func() bool { return r.Left(schemas.StreamRetry) == 1 })
	if r.parked.Len() != 0 {
		t.Error("it was given up at once")
	}
}
