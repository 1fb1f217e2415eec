package persister

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/servicetest"
)

// served returns the mailbox that the mails of classified are from.
func served() config.Mailbox {
	return servicetest.Mailbox("info", imapconn.Target{Host: "127.0.0.1", Port: 1143, Username: "info"}, "support")
}

// sweeper returns one as the service has it, with two mails stored, of which
// the first is recorded as disposed of.
func (r *rig) sweeper(doc config.Mailbox) *sweeper {
	r.t.Helper()
	watcher, err := configwatch.Start(r.t.Context(), r.Conn.JetStream(), r.Logger)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(watcher.Close)
	parked, err := r.Conn.WatchParked(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(parked.Close)
	var mails []mailstore.Mail
	for uid := range uint32(2) {
		mails = append(mails, mailstore.Mail{
			Key: schemas.MailKey{Tenant: tenant, Mailbox: "info", UIDValidity: 7, UID: uid + 1}, Origin: doc.Origin(),
			SHA256: string(rune('a' + uid)), Decision: schemas.Decision{Verdict: schemas.Accepted},
		})
	}
	if _, err := r.store.Persist(r.t.Context(), mails); err != nil {
		r.t.Fatal(err)
	}
	if err := r.store.RecordDisposed(r.t.Context(), schemas.Disposed{Tenant: tenant, Mailbox: "info", UIDValidity: 7, UIDs: []uint32{1}}); err != nil {
		r.t.Fatal(err)
	}
	return &sweeper{conn: r.Conn, name: "default", store: &database{Store: r.store}, watcher: watcher, parked: parked, logger: r.Logger}
}

func TestDisposalThatWasNotRecordedIsAskedForAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	doc := served()
	r.PutMailbox(doc, secret.NewString("pw"))
	s := r.sweeper(doc)
	if err := s.sweep(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(20 * time.Minute)
	for range 2 {
		if err := s.sweep(t.Context(), later); err != nil {
			t.Fatal(err)
		}
	}
	r.Eventually("it is asked for", func() bool { return r.disposed.Len() > 0 })
	if n := r.Left(schemas.StreamDispose); n != 1 {
		t.Errorf("%d orders; want one: it is not time yet, or it was asked for already", n)
	}
	d := r.disposed.All()[0].Data
	if !slices.Equal(d.UIDs, []uint32{2}) || d.Origin != doc.Origin() || d.UIDValidity != 7 || d.Action != schemas.ActionPersisted || d.Tenant != tenant || d.Mailbox != "info" {
		t.Errorf("asked for %+v", d)
	}
}

func TestWhatMustNotBeDisposedOfIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *rig, doc config.Mailbox){
		"the mailbox is disabled": func(r *rig, doc config.Mailbox) {
			doc.Enabled = false
			r.PutMailbox(doc, secret.NewString("pw"))
		},
		"the mailbox is deleted": func(r *rig, doc config.Mailbox) { r.DeleteMailbox(doc, secret.NewString("pw")) },
		"the mailbox is unknown": func(*rig, config.Mailbox) {},
		"the mailbox has another account": func(r *rig, doc config.Mailbox) {
			doc.Username = "another"
			r.PutMailbox(doc, secret.NewString("pw"))
		},
		"the tenant has another database": func(r *rig, doc config.Mailbox) {
			r.PutTenant("other")
			r.PutMailbox(doc, secret.NewString("pw"))
		},
		"the mail is parked": func(r *rig, doc config.Mailbox) {
			r.PutMailbox(doc, secret.NewString("pw"))
			key := schemas.MailKey{Tenant: tenant, Mailbox: "info", UIDValidity: 7, UID: 2}
			if err := r.Conn.GiveUp(r.t.Context(), schemas.StageDisposer, key, 6, errors.New("refused")); err != nil {
				r.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			doc := served()
			change(r, doc)
			s := r.sweeper(doc)
			if err := s.sweep(t.Context(), time.Now().Add(20*time.Minute)); err != nil {
				t.Fatal(err)
			}
			if n := r.Left(schemas.StreamDispose); n != 0 {
				t.Errorf("%d orders", n)
			}
		})
	}
}
