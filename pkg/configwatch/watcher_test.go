package configwatch_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const timeout = 20 * time.Second

type bench struct {
	t      *testing.T
	server *bustest.Server
	js     jetstream.JetStream
	logs   *observer.ObservedLogs
	logger *zap.Logger
}

func setup(t *testing.T) *bench {
	t.Helper()
	server := bustest.Start(t)
	core, logs := observer.New(zap.DebugLevel)
	return &bench{t, server, server.Connect(t, "test", nil).JetStream(), logs, zap.New(core)}
}

func (b *bench) watch() *configwatch.Watcher {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	w, err := configwatch.Start(ctx, b.js, b.logger)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(w.Close)
	return w
}

func (b *bench) bucket() jetstream.KeyValue {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	kv, err := b.js.KeyValue(ctx, schemas.BucketConfig)
	if err != nil {
		b.t.Fatal(err)
	}
	return kv
}

func (b *bench) put(key string, value any) {
	b.t.Helper()
	raw, ok := value.([]byte)
	if !ok {
		var err error
		if raw, err = json.Marshal(value); err != nil {
			b.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if _, err := b.bucket().Put(ctx, key, raw); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) remove(key string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := b.bucket().Delete(ctx, key); err != nil {
		b.t.Fatal(err)
	}
}

// await waits until the condition holds, looking at it whenever something changed.
func (b *bench) await(w *configwatch.Watcher, what string, holds func() bool) {
	b.t.Helper()
	deadline := time.After(timeout)
	for {
		changed := w.Changed()
		if holds() {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			b.t.Fatalf("never came: %s", what)
		}
	}
}

func tenant(revision int64) config.TenantRecord {
	t := config.DefaultTenant()
	t.ID, t.Name = "acme", "Acme"
	return config.TenantRecord{Document: t, Revision: revision, WrappedKey: []byte{1, 2}}
}

func folder(id string, revision int64) config.FolderRecord {
	return config.FolderRecord{Document: config.Folder{Tenant: "acme", ID: id, Name: id, Address: id + "@example.com"}, Revision: revision}
}

func mailbox(id string, revision int64, folders ...string) config.MailboxRecord {
	m := config.DefaultMailbox()
	m.Tenant, m.ID, m.Name, m.Folders = "acme", id, id, folders
	return config.MailboxRecord{Document: m, Revision: revision, Password: []byte{3, 4}}
}

func (b *bench) putAll() {
	b.t.Helper()
	b.put("mailbox.acme.support", mailbox("support", 3, "sales", "help", "gone"))
	b.put("folder.acme.help", folder("help", 4))
	b.put("folder.acme.sales", folder("sales", 2))
	b.put("folder.acme.unused", folder("unused", 9))
	b.put("tenant.acme", tenant(1))
}

func TestViewsAreThereWhenStartReturns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.putAll()
	w := b.watch()
	got, ok := w.Mailbox("acme", "support")
	want := configwatch.View{
		Mailbox: mailbox("support", 3, "sales", "help", "gone"), Tenant: tenant(1),
		Folders: []config.FolderRecord{folder("sales", 2), folder("help", 4)}, Revision: 4,
	}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("%v -want +got:\n%s", ok, diff)
	}
	if diff := cmp.Diff([]configwatch.View{want}, w.Mailboxes()); diff != "" {
		t.Error(diff)
	}
	if _, ok := w.Mailbox("other", "support"); ok {
		t.Error("a mailbox of another tenant is known")
	}
}

func TestChangesArrive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.watch()
	if len(w.Mailboxes()) != 0 {
		t.Fatal("an empty bucket has mailboxes")
	}
	b.putAll()
	b.await(w, "the mailbox", func() bool { v, ok := w.Mailbox("acme", "support"); return ok && len(v.Folders) == 2 })

	b.put("mailbox.acme.support", mailbox("support", 10, "help"))
	b.await(w, "the new folders", func() bool { v, _ := w.Mailbox("acme", "support"); return v.Revision == 10 && len(v.Folders) == 1 })

	deleted, now := folder("help", 11), time.Now()
	deleted.DeletedAt = &now
	b.put("folder.acme.help", deleted)
	b.await(w, "the folder's deletion", func() bool { v, _ := w.Mailbox("acme", "support"); return v.Revision == 11 && len(v.Folders) == 0 })

	b.remove("mailbox.acme.support")
	b.await(w, "the mailbox's end", func() bool { _, ok := w.Mailbox("acme", "support"); return !ok })
}

func TestMailboxWaitsForItsTenant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.put("mailbox.acme.support", mailbox("support", 3))
	w := b.watch()
	if _, ok := w.Mailbox("acme", "support"); ok || len(w.Mailboxes()) != 0 {
		t.Error("a mailbox without its tenant is shown")
	}
	b.put("tenant.acme", tenant(1))
	b.await(w, "the mailbox", func() bool { return len(w.Mailboxes()) == 1 })
}

func TestGarbageIsIgnored(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.putAll()
	b.put("folder.acme.unused", []byte("not JSON: hunter2"))
	b.put("tenant.acme.more", []byte("{}"))
	b.put("weather", []byte("rain"))
	w := b.watch()
	b.put("mailbox.acme.support", []byte(`{"revision":"hunter2"}`))
	b.put("tenant.acme", []byte(`[]`))
	b.put("folder.acme.help", folder("sales", 8))
	b.put("folder.acme.later", folder("later", 12))
	b.put("mailbox.acme.second", []byte(`{"document":{"tenant":"acme","id":"second","folders":["later"],"from_the_future":1},"revision":13,"also":{}}`))
	b.await(w, "the valid ones", func() bool { v, _ := w.Mailbox("acme", "second"); return len(v.Folders) == 1 })
	v, ok := w.Mailbox("acme", "support")
	if !ok || v.Revision != 4 || len(v.Folders) != 2 {
		t.Errorf("garbage replaced a record: %+v", v)
	}
	warned := map[string]bool{}
	for _, e := range b.logs.FilterMessage("ignoring a value in the bucket CONFIG").All() {
		warned[e.ContextMap()["key"].(string)] = true
		if text := e.ContextMap()["error"].(string); strings.Contains(text, "hunter2") {
			t.Errorf("the log quotes the value: %s", text)
		}
	}
	for _, key := range []string{"folder.acme.unused", "tenant.acme.more", "weather", "mailbox.acme.support", "tenant.acme", "folder.acme.help"} {
		if !warned[key] {
			t.Errorf("nothing was logged about %s", key)
		}
	}
}

func TestServerThatComesBackIsFollowedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.putAll()
	w := b.watch()
	b.server.Restart(t)
	b.js = b.server.Connect(t, "writer", nil).JetStream()
	b.put("mailbox.acme.support", mailbox("support", 20))
	b.await(w, "the change after the restart", func() bool { v, _ := w.Mailbox("acme", "support"); return v.Revision == 20 })
}

func TestWipedBucketChangesNothingUntilItIsAsserted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.putAll()
	b.put("mailbox.acme.dropped", mailbox("dropped", 5))
	b.put(configwatch.AssertedKey, []byte("{}"))
	w := b.watch()
	b.server.Wipe(t)
	b.server.Provision(t)
	b.js = b.server.Connect(t, "writer", nil).JetStream()
	b.put("tenant.acme", tenant(1))
	b.put("mailbox.acme.support", mailbox("support", 30))
	b.await(w, "the first record of the new bucket", func() bool {
		if len(w.Mailboxes()) != 2 {
			t.Fatal("what was known is lost before the bucket is asserted")
		}
		v, _ := w.Mailbox("acme", "support")
		return v.Revision == 30
	})
	b.put(configwatch.AssertedKey, []byte("{}"))
	b.await(w, "the end of what the control database no longer has", func() bool { return len(w.Mailboxes()) == 1 })
	b.remove("mailbox.acme.support")
	b.await(w, "later deletions", func() bool { return len(w.Mailboxes()) == 0 })
}

func TestBucketThatWasMadeAnewIsFollowed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.putAll()
	w := b.watch()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := b.js.DeleteKeyValue(ctx, schemas.BucketConfig); err != nil {
		t.Fatal(err)
	}
	b.server.Provision(t)
	b.put("mailbox.acme.support", mailbox("support", 40))
	b.await(w, "the change in the new bucket", func() bool { v, _ := w.Mailbox("acme", "support"); return v.Revision == 40 })
}

func TestStartWaitsForTheBucket(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := b.js.DeleteKeyValue(ctx, schemas.BucketConfig); err != nil {
		t.Fatal(err)
	}
	short, stop := context.WithTimeout(ctx, 300*time.Millisecond)
	defer stop()
	if _, err := configwatch.Start(short, b.js, b.logger); err == nil || !strings.Contains(err.Error(), "bucket CONFIG") {
		t.Errorf("without the bucket Start gave %v; want an error that names it", err)
	}
	started := make(chan error, 1)
	b.logs.TakeAll()
	go func() {
		w, err := configwatch.Start(ctx, b.js, b.logger)
		if err == nil {
			w.Close()
		}
		started <- err
	}()
	for deadline := time.After(timeout); b.logs.Len() < 2; {
		select {
		case err := <-started:
			t.Fatalf("Start did not wait for the bucket: %v", err)
		case <-deadline:
			t.Fatal("Start does not try again")
		case <-time.After(time.Millisecond):
		}
	}
	b.server.Provision(t)
	if err := <-started; err != nil {
		t.Error(err)
	}
}
