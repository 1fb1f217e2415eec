package control_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

// A service reads the bucket as services do, and tries after every single
// update whether it could open each password.
type service struct {
	t         *testing.T
	master    *secret.MasterKey
	key       *secret.TenantKey
	passwords map[string][]byte // by mailbox
	opened    int
	done      chan struct{}
}

// follow starts a service. It ends when the returned function is called.
func (p *publishing) follow(tenant string) (s *service, stop func()) {
	p.t.Helper()
	w := must[jetstream.KeyWatcher](p.t)(p.bucket().WatchAll(p.ctx))
	s = &service{t: p.t, master: p.master, passwords: map[string][]byte{}, done: make(chan struct{})}
	loaded := make(chan struct{})
	go func() {
		defer close(s.done)
		for entry := range w.Updates() {
			if entry == nil {
				s.openAll()
				close(loaded)
				continue
			}
			s.take(tenant, entry, loaded)
		}
	}()
	<-loaded
	stop = sync.OnceFunc(func() {
		w.Stop() // an error means that it has ended already
		<-s.done
	})
	p.t.Cleanup(stop)
	return s, stop
}

func (s *service) take(tenant string, entry jetstream.KeyValueEntry, loaded <-chan struct{}) {
	var mailbox config.MailboxRecord
	switch key := entry.Key(); {
	case key == config.TenantRecordKey(tenant):
		var record config.TenantRecord
		if err := json.Unmarshal(entry.Value(), &record); err != nil {
			s.t.Error(err)
			return
		}
		k, err := s.master.TenantKey(tenant, record.WrappedKey)
		if err != nil {
			s.t.Error(err)
			return
		}
		s.key = k
		s.openAll()
	case strings.HasPrefix(key, "mailbox."+tenant+"."):
		if err := json.Unmarshal(entry.Value(), &mailbox); err != nil {
			s.t.Error(err)
			return
		}
		s.passwords[mailbox.Document.ID] = mailbox.Password
		select {
		case <-loaded:
			s.open(mailbox.Document.ID)
		default: // services look when all is loaded
		}
	}
}

func (s *service) openAll() {
	for mailbox := range s.passwords {
		s.open(mailbox)
	}
}

func (s *service) open(mailbox string) {
	s.opened++
	got, err := s.key.Open("acme", mailbox, s.passwords[mailbox])
	if err != nil || !strings.HasPrefix(got.Reveal(), password) {
		s.t.Errorf("a service cannot open the password of %s with key %s: %v", mailbox, s.key.ID(), err)
	}
}

// runRotator runs a rotator until the returned function is called.
func (b *bench) runRotator(store *control.Store) (stop func()) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- control.NewRotator(store, zap.NewNop()).Run(ctx, func() { close(ready) }) }()
	<-ready
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	})
	b.t.Cleanup(stop)
	return stop
}

// patient gives a test more time: with the race detector SQLite is slow.
func (b *bench) patient() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*timeout)
	b.t.Cleanup(cancel)
	b.ctx = ctx
}

// await looks every so often whether the condition holds.
func (b *bench) await(what string, holds func() bool) {
	b.t.Helper()
	for !holds() {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-b.ctx.Done():
			b.t.Fatalf("%s: never; the rotation is %+v", what, must[control.Tenant](b.t)(b.store.GetTenant(context.WithoutCancel(b.ctx), landlord, "acme")).Rotation)
		}
	}
}

// awaitEnd waits for the end of the rotation.
func (b *bench) awaitEnd() {
	b.t.Helper()
	b.await("the end of the rotation", func() bool { return !control.Rotating(b.t, b.store, "acme") })
}

// awaitFresh waits until a mailbox's password is encrypted anew.
func (b *bench) awaitFresh(mailbox string, old []byte) {
	b.t.Helper()
	b.await(mailbox+" encrypted anew", func() bool {
		_, now := control.Sealed(b.t, b.store, "acme", mailbox)
		return !bytes.Equal(now, old)
	})
}

// Ten thousand mailboxes, two rotators that are stopped
// in the middle, administrators who go on working, and a service that must be
// able to open every password at every moment.
func TestTenThousandMailboxesAreRotatedWhileServicesRead(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		const mailboxes = 10_000
		b.patient()
		b.tenant("acme")
		like := b.mailbox("acme", "support")
		b.mailbox("acme", "gone")
		if err := b.store.DeleteMailbox(b.ctx, admin, "acme", "gone", 0); err != nil {
			t.Fatal(err)
		}
		control.Fill(t, b.store, like, secret.NewString(password), mailboxes)
		p := newPublishing(t, b)
		p.run(p.publisher(b.store))
		s, stop := p.follow("acme")
		old, sealed := control.Sealed(t, b.store, "acme", "m00000")
		var before [5][]byte
		for i := range before {
			_, before[i] = control.Sealed(t, b.store, "acme", fmt.Sprintf("m%05d", i*mailboxes/6))
		}
		_, events := p.eventCount()

		must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
		stopFirst := b.runRotator(b.replica())
		stopSecond := b.runRotator(b.replica())
		for i := range before {
			id := fmt.Sprintf("m%05d", i*mailboxes/6)
			b.awaitFresh(id, before[i])
			must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", id, secret.NewString(password+" changed"), 0))
		}
		stopFirst()
		stopSecond()
		b.runRotator(b.replica())
		b.awaitEnd()
		last := must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme"))
		p.untilHeld("acme", last.KeyID)
		stop()

		if len(s.passwords) != mailboxes+2 || s.key.ID() != last.KeyID || s.opened < 3*mailboxes {
			t.Errorf("the service has %d mailboxes and key %s, and opened %d passwords", len(s.passwords), s.key.ID(), s.opened)
		}
		if final, _ := control.Sealed(t, b.store, "acme", "m00000"); b.opens(final, sealed, "acme", "m00000", password) || !b.opens(old, sealed, "acme", "m00000", password) {
			t.Error("the old version is still in the key")
		}
		if _, now := p.eventCount(); now-events != 7 {
			t.Errorf("%d events, want one for the start, one for the end, and five for passwords that were set", now-events)
		}
	})
}

// eventCount returns how many events CONFIG_EVENTS holds.
func (p *publishing) eventCount() (stream jetstream.Stream, n uint64) {
	p.t.Helper()
	stream = must[jetstream.Stream](p.t)(p.js.Stream(p.ctx, "CONFIG_EVENTS"))
	return stream, must[*jetstream.StreamInfo](p.t)(stream.Info(p.ctx)).State.Msgs
}

// untilHeld waits until the outbox is published, and the bucket has the tenant's
// key with no version but the given one.
func (p *publishing) untilHeld(tenant, keyID string) {
	p.t.Helper()
	for control.OutboxSize(p.t, p.store) > 0 {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-p.ctx.Done():
			p.t.Fatal("the outbox is not published")
		}
	}
	entries := must[[]jetstream.KeyValueEntry](p.t)(p.bucket().History(p.ctx, config.TenantRecordKey(tenant)))
	if len(entries) != 1 {
		p.t.Errorf("the bucket keeps %d versions of the tenant's record, so of its key too", len(entries))
	}
	var record config.TenantRecord
	if err := json.Unmarshal(entries[len(entries)-1].Value(), &record); err != nil {
		p.t.Fatal(err)
	}
	if key := must[*secret.TenantKey](p.t)(p.master.TenantKey(tenant, record.WrappedKey)); key.ID() != keyID {
		p.t.Errorf("the bucket has key %s, want %s", key.ID(), keyID)
	}
}

// A change that was made before the rotation, and is published when a password
// was set in it, must not bring the mailbox before the key.
func TestKeyIsPublishedBeforeWhatItOpens(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.tenant("acme")
		m := b.mailbox("acme", "support")
		p := newPublishing(t, b)
		publisher := p.publisher(b.store)
		p.step(publisher)
		_, stop := p.follow("acme")

		doc := m.Document
		doc.Description = "changed"
		must[control.Mailbox](t)(b.store.PutMailbox(b.ctx, admin, doc, 0))
		must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
		must[control.Mailbox](t)(b.store.SetPassword(b.ctx, admin, "acme", "support", secret.NewString(password+" changed"), 0))
		p.step(publisher)
		b.runRotator(b.store)
		p.run(publisher)
		b.awaitEnd()
		p.untilHeld("acme", must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme")).KeyID)
		stop()
	})
}

// The variables that make the test binary a rotator: the URL of the control
// database, and the file of the master key.
const (
	rotateURL = "MAILYARD_CONTROL_TEST_ROTATE"
	rotateKey = "MAILYARD_CONTROL_TEST_MASTER_KEY"
)

func rotateUntilKilled(url, keyFile string) {
	ctx := context.Background()
	key, err := secret.LoadMasterKey(keyFile)
	if err == nil {
		var store *control.Store
		if store, err = control.Open(ctx, url, nil, control.WithMasterKey(key)); err == nil {
			err = control.NewRotator(store, nil).Run(ctx, nil)
		}
	}
	fmt.Fprintln(os.Stderr, "rotating:", err)
}

func TestRotationGoesOnAfterAKill(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		const mailboxes = 2000
		b.patient()
		b.tenant("acme")
		like := b.mailbox("acme", "support")
		control.Fill(t, b.store, like, secret.NewString(password), mailboxes)
		file := filepath.Join(t.TempDir(), "master.json")
		if err := b.master.Save(file); err != nil {
			t.Fatal(err)
		}
		p := newPublishing(t, b)
		p.run(p.publisher(b.store))
		p.run(p.publisher(b.replica()))
		_, stop := p.follow("acme")
		marks, before := [3]string{"m00000", "m00300", "m00600"}, [3][]byte{}
		for i, id := range marks {
			_, before[i] = control.Sealed(t, b.store, "acme", id)
		}
		must[control.Tenant](t)(b.store.RotateTenantKey(b.ctx, landlord, "acme", 0))
		for kill := range marks {
			child := exec.CommandContext(b.ctx, os.Args[0])
			child.Env = append(os.Environ(), rotateURL+"="+b.url, rotateKey+"="+file)
			child.Stderr = os.Stderr
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			b.awaitFresh(marks[kill], before[kill])
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			child.Wait() // it was killed
		}
		if r := must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme")).Rotation; r == nil || r.Done == 0 || r.Done >= r.Total {
			t.Errorf("after the kills the rotation is %+v; want some done, and some not", r)
		}
		b.runRotator(b.replica())
		b.awaitEnd()
		last := must[control.Tenant](t)(b.store.GetTenant(b.ctx, landlord, "acme"))
		p.untilHeld("acme", last.KeyID)
		stop()
		entries := must[[]control.AuditEntry](t)(b.store.Audit(b.ctx, landlord, control.AuditQuery{Tenant: "acme", Limit: 1}))
		if !strings.Contains(string(entries[0].Fields[0].After), fmt.Sprintf("ended: %d passwords", mailboxes+1)) {
			t.Errorf("the last audit entry is %s", entries[0].Fields[0].After)
		}
	})
}
