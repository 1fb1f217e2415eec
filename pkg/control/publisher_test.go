package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
	"github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/schemas/contract"
)

type publishing struct {
	*bench
	server *bustest.Server
	js     jetstream.JetStream
}

func newPublishing(t *testing.T, b *bench) *publishing {
	t.Helper()
	server := bustest.Start(t)
	return &publishing{b, server, server.Connect(t, "test", nil).JetStream()}
}

func (p *publishing) publisher(store *control.Store) *control.Publisher {
	return control.NewPublisher(store, p.js, control.PublisherOptions{Logger: zap.NewNop(), Poll: 10 * time.Millisecond})
}

// run runs a publisher until the returned function is called, and returns when
// it is ready.
func (p *publishing) run(publisher *control.Publisher) (stop func()) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.ctx)
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- publisher.Run(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-done:
		p.t.Fatalf("the publisher ended: %v", err)
	case <-p.ctx.Done():
		p.t.Error("the publisher is not ready")
	}
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			p.t.Error(err)
		}
	})
	p.t.Cleanup(stop)
	return stop
}

func (p *publishing) step(publisher *control.Publisher) {
	p.t.Helper()
	if err := publisher.Step(p.ctx); err != nil {
		p.t.Fatal(err)
	}
}

func (p *publishing) bucket() jetstream.KeyValue {
	p.t.Helper()
	return must[jetstream.KeyValue](p.t)(p.js.KeyValue(p.ctx, schemas.BucketConfig))
}

// held returns the bucket's records with their revisions.
func (p *publishing) held() map[string]int64 {
	p.t.Helper()
	kv := p.bucket()
	revisions := map[string]int64{}
	for _, key := range must[[]string](p.t)(kv.Keys(p.ctx)) {
		if key == configwatch.AssertedKey {
			continue
		}
		var r struct{ Revision int64 }
		if err := json.Unmarshal(must[jetstream.KeyValueEntry](p.t)(kv.Get(p.ctx, key)).Value(), &r); err != nil {
			p.t.Errorf("%s: %v", key, err)
		}
		revisions[key] = r.Revision
	}
	return revisions
}

func (p *publishing) watch() *configwatch.Watcher {
	p.t.Helper()
	w := must[*configwatch.Watcher](p.t)(configwatch.Start(p.ctx, p.js, zap.NewNop()))
	p.t.Cleanup(w.Close)
	return w
}

// await waits until the condition holds, looking at it at every change.
func (p *publishing) await(w *configwatch.Watcher, what string, holds func() bool) {
	p.t.Helper()
	for {
		changed := w.Changed()
		if holds() {
			return
		}
		select {
		case <-changed:
		case <-p.ctx.Done():
			p.t.Fatalf("never came: %s", what)
		}
	}
}

// events returns what CONFIG_EVENTS holds.
func (p *publishing) events() (list []schemas.ConfigChange, raw string) {
	p.t.Helper()
	stream := must[jetstream.Stream](p.t)(p.js.Stream(p.ctx, schemas.StreamConfigEvents))
	info := must[*jetstream.StreamInfo](p.t)(stream.Info(p.ctx))
	for seq := uint64(1); seq <= info.State.LastSeq; seq++ {
		m := must[*jetstream.RawStreamMsg](p.t)(stream.GetMsg(p.ctx, seq))
		var e schemas.ConfigChanged
		if err := cloudevents.Decode(m.Header, m.Data, &e); err != nil {
			p.t.Fatal(err)
		}
		if want := schemas.SubjectConfigChanged(e.Data.Tenant, e.Data.Kind, e.Data.ID); m.Subject != want || e.Type != schemas.TypeConfigChanged || e.ID != m.Header.Get("Nats-Msg-Id") {
			p.t.Errorf("the event of %s/%s is %+v on %s", e.Data.Tenant, e.Data.ID, e.Attributes, m.Subject)
		}
		if err := contract.Validate(m.Header, m.Data); err != nil {
			p.t.Error(err)
		}
		list = append(list, e.Data)
		raw += fmt.Sprint(m.Header) + string(m.Data)
	}
	return list, raw
}

func TestServicesSeeEveryChange(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := newPublishing(t, b)
		b.tenant("acme")
		p.run(p.publisher(b.store))
		w := p.watch()
		m := b.mailbox("acme", "support")
		p.await(w, "the mailbox", func() bool { v, ok := w.Mailbox("acme", "support"); return ok && v.Revision == m.Revision })
		v, _ := w.Mailbox("acme", "support")
		if len(v.Folders) != 1 || !v.Mailbox.Document.Enabled || v.Mailbox.EnabledAt == nil {
			t.Errorf("the services see %+v", v)
		}
		key, err := b.master.TenantKey("acme", v.Tenant.WrappedKey)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := key.Open("acme", "support", v.Mailbox.Password); err != nil || got.Reveal() != password {
			t.Errorf("the services read the password %q, %v", got.Reveal(), err)
		}

		// Committed by another process, and followed by the outbox: within a second
		// if the machine has the time, not when all is compared again.
		begun := time.Now()
		must[control.Mailbox](t)(b.open().Disable(b.ctx, admin, "acme", "support", 0))
		p.await(w, "the change of another process", func() bool { v, _ := w.Mailbox("acme", "support"); return !v.Mailbox.Document.Enabled })
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "support", 0); err != nil {
			t.Fatal(err)
		}
		p.await(w, "the deletion", func() bool { v, ok := w.Mailbox("acme", "support"); return ok && v.Mailbox.DeletedAt != nil })
		if v, _ := w.Mailbox("acme", "support"); len(v.Mailbox.Password) == 0 {
			t.Error("mail in flight of the deleted mailbox cannot be disposed of: the password is gone")
		}
	})
}

func TestEventsComeInTheOrderOfTheCommits(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := newPublishing(t, b)
		b.tenant("acme")
		m := b.mailbox("acme", "support")
		must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString("second "+password), 0))
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "support", 0); err != nil {
			t.Fatal(err)
		}
		// Two publishers, of two replicas, at the same time.
		p.run(p.publisher(b.store))
		p.run(p.publisher(b.open()))
		list, raw := p.events()
		var got []string
		last := int64(0)
		for _, c := range list {
			got = append(got, c.Change+" "+string(c.Kind)+" "+c.ID+" "+strings.Join(c.Fields, ","))
			if c.ToRevision <= last {
				t.Errorf("revision %d after %d", c.ToRevision, last)
			}
			last = c.ToRevision
		}
		want := []string{"created tenant acme ", "updated tenant acme encryption_key", "created folder sales ", "created mailbox support ",
			"updated mailbox support password", "deleted mailbox support "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		if list[4].FromRevision != m.Revision || list[4].Actor != "ann" {
			t.Errorf("the change of the password: %+v", list[4])
		}
		if strings.Contains(raw, password) {
			t.Error("the events hold the password")
		}
		if n := control.OutboxSize(t, b.store); n != 0 {
			t.Errorf("%d changes are left in the outbox", n)
		}
		for key := range p.held() {
			if entry := must[jetstream.KeyValueEntry](t)(p.bucket().Get(b.ctx, key)); strings.Contains(string(entry.Value()), password) {
				t.Errorf("%s holds the password", key)
			}
		}
	})
}

// A process that dies between the commit and the publishing leaves its change to
// the next one; one that dies before it has cleared the outbox causes no second
// event.
func TestWhatWasCommittedIsPublishedAfterACrash(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := newPublishing(t, b)
		b.tenant("acme")
		p.step(p.publisher(b.store))
		m := b.mailbox("acme", "support") // and nobody publishes
		if _, ok := p.held()["mailbox.acme.support"]; ok {
			t.Fatal("something was published")
		}
		before, _ := p.events()
		p.step(p.publisher(b.open()))
		if got := p.held()["mailbox.acme.support"]; got != m.Revision {
			t.Errorf("the bucket has revision %d, want %d", got, m.Revision)
		}
		after, _ := p.events()
		if len(after) != len(before)+1 || after[len(before)].ID != "support" {
			t.Errorf("the events are %+v", after)
		}

		must[control.Mailbox](t)(b.store.Disable(b.ctx, admin, "acme", "support", 0))
		control.CopyOutbox(t, b.store)
		p.step(p.publisher(b.store))
		control.RestoreOutbox(t, b.store)
		p.step(p.publisher(b.store))
		again, _ := p.events()
		if len(again) != len(after)+1 || control.OutboxSize(t, b.store) != 0 {
			t.Errorf("%d events, want %d; %d rows in the outbox", len(again), len(after)+1, control.OutboxSize(t, b.store))
		}
	})
}

func TestBucketIsSetRight(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := newPublishing(t, b)
		b.tenant("acme")
		b.mailbox("acme", "support")
		p.step(p.publisher(b.store))
		want := p.held()
		kv := p.bucket()
		for key, value := range map[string]string{"mailbox.acme.support": "garbage", "mailbox.acme.ghost": `{"revision":1}`, "weather": "rain"} {
			must[uint64](t)(kv.PutString(b.ctx, key, value))
		}
		if err := kv.Delete(b.ctx, "folder.acme.sales"); err != nil {
			t.Fatal(err)
		}
		p.step(p.publisher(b.store))
		if diff := cmp.Diff(want, p.held()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		must[jetstream.KeyValueEntry](t)(kv.Get(b.ctx, configwatch.AssertedKey))
	})
}

func TestWipedServerIsFilledAgain(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := newPublishing(t, b)
		b.tenant("acme")
		b.mailbox("acme", "support")
		b.mailbox("acme", "second")
		p.run(p.publisher(b.store))
		w := p.watch()
		p.server.Wipe(t)
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "second", 0); err != nil {
			t.Fatal(err)
		}
		p.server.Provision(t)
		p.await(w, "the deletion", func() bool { v, ok := w.Mailbox("acme", "second"); return !ok || v.Mailbox.DeletedAt != nil })
		if _, ok := w.Mailbox("acme", "support"); !ok {
			t.Error("the other mailbox is lost")
		}
		refilled := must[jetstream.KeyWatcher](t)(p.bucket().Watch(b.ctx, configwatch.AssertedKey))
		for entry := range refilled.Updates() {
			if entry != nil {
				break
			}
		}
		if err := refilled.Stop(); err != nil {
			t.Error(err)
		}
		if held := p.held(); len(held) != 4 {
			t.Errorf("the new bucket holds %v", held)
		}
	})
}

// A publisher that was held up for long must not set the services back.
func TestOldRecordNeverTakesThePlaceOfANewerOne(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := newPublishing(t, b)
		b.tenant("acme")
		b.mailbox("acme", "support")
		p.step(p.publisher(b.store))
		stale := must[jetstream.KeyValueEntry](t)(p.bucket().Get(b.ctx, "mailbox.acme.support")).Value()
		newer := must[control.Mailbox](t)(b.store.Disable(b.ctx, admin, "acme", "support", 0))
		p.step(p.publisher(b.store))
		if err := p.publisher(b.store).Put(b.ctx, p.bucket(), "mailbox.acme.support", stale); err != nil {
			t.Fatal(err)
		}
		if got := p.held()["mailbox.acme.support"]; got != newer.Revision {
			t.Errorf("the bucket has revision %d, want %d", got, newer.Revision)
		}
	})
}

func TestRestoredControlDatabaseIsTheTruth(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := newPublishing(t, b)
		b.tenant("acme")
		b.mailbox("acme", "support")
		p.step(p.publisher(b.store))
		future := config.MailboxRecord{Document: mailboxDoc("acme", "support"), Revision: 1000}
		raw, err := json.Marshal(future)
		if err != nil {
			t.Fatal(err)
		}
		must[uint64](t)(p.bucket().Put(b.ctx, "mailbox.acme.support", raw))
		p.step(p.publisher(b.store))
		held := p.held()
		if held["mailbox.acme.support"] <= 1000 || held["tenant.acme"] <= 1000 {
			t.Errorf("the services keep what the database does not have: %v", held)
		}
		m := must[control.Mailbox](t)(b.store.Disable(b.ctx, admin, "acme", "support", 0))
		if m.Revision <= held["mailbox.acme.support"] {
			t.Errorf("the next change has revision %d", m.Revision)
		}
	})
}

func TestDeletedDocumentsArePurgedAfterADay(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := newPublishing(t, b)
		b.tenant("acme")
		b.mailbox("acme", "support")
		publisher := p.publisher(b.store)
		p.step(publisher)
		if err := b.store.DeleteTenant(b.ctx, landlord, "acme", 0, true); err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(23 * time.Hour)
		if n := must[int](t)(b.store.Purge(b.ctx)); n != 0 {
			t.Errorf("%d were purged after 23 hours", n)
		}
		p.step(publisher)
		if len(p.held()) != 3 {
			t.Errorf("the bucket holds %v", p.held())
		}
		b.now = b.now.Add(2 * time.Hour)
		p.step(p.publisher(b.store))
		if keys := p.held(); len(keys) != 0 {
			t.Errorf("after a day the bucket holds %v", keys)
		}
	})
}
