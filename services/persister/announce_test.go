package persister

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

var (
	toSupport = schemas.Decision{Verdict: schemas.Accepted, Clones: []schemas.Clone{{Folder: "support"}}}
	toOthers  = schemas.Decision{Verdict: schemas.Accepted, Clones: []schemas.Clone{{Folder: "sales"}, {Folder: "billing"}, {Folder: "office"}}}
	toNobody  = schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonNoMatchingFolder}
)

func storedAs(verdict schemas.Verdict, reason schemas.Reason, folders ...string) mailstore.Outcome {
	o := mailstore.Outcome{MailID: "m1", Verdict: verdict, Reason: reason}
	for _, f := range folders {
		o.Items = append(o.Items, mailstore.OutcomeItem{ID: "item-" + f, Folder: f})
	}
	return o
}

func committed(uid uint32, decision schemas.Decision, outcome mailstore.Outcome) *work {
	w := &work{outcome: outcome, mail: mailstore.Mail{Message: &message.Message{Bounce: true}}}
	w.event.MailAttributes = schemas.MailAttributes{Tenant: "acme", Mailbox: "inbox", UIDValidity: 7, UID: uid, Lane: schemas.Light, Size: 99}
	w.event.Data.Decision = decision
	return w
}

// A mail that comes again, and is decided on otherwise than when it was stored,
// is announced and disposed of as it is stored.
func TestWhatIsStoredIsAnnounced(t *testing.T) {
	t.Parallel()
	supported := storedAs(schemas.Accepted, "", "support", "sales")
	looped := storedAs(schemas.Invalid, schemas.ReasonLoop)
	gone := supported
	gone.Disposed = true
	persisted := []string{"mail.v1.event.persisted.acme.support item-support support", "mail.v1.event.persisted.acme.sales item-sales sales"}
	rejected := []string{"mail.v1.event.rejected.acme.inbox m1 loop"}
	for name, test := range map[string]struct {
		decided schemas.Decision
		stored  mailstore.Outcome
		events  []string
		action  schemas.Action
	}{
		"fewer folders":              {toSupport, supported, persisted, schemas.ActionPersisted},
		"more folders":               {toOthers, supported, persisted, schemas.ActionPersisted},
		"invalid meanwhile":          {toNobody, supported, persisted, schemas.ActionPersisted},
		"accepted meanwhile":         {toSupport, looped, rejected, schemas.ActionInvalid},
		"another reason meanwhile":   {toNobody, looped, rejected, schemas.ActionInvalid},
		"disposed of, but came back": {toSupport, gone, persisted, schemas.ActionPersisted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := committed(5, test.decided, test.stored)
			now := time.Date(2026, 8, 22, 10, 0, 0, 0, time.UTC)
			var got []string
			for _, p := range events(w, now) {
				got = append(got, described(t, p))
			}
			if diff := cmp.Diff(test.events, got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			asked := disposals([]*work{w}, now)
			if len(asked) != 1 {
				t.Fatalf("%d disposals are asked for, want 1", len(asked))
			}
			want := schemas.Dispose{Tenant: "acme", Mailbox: "inbox", UIDValidity: 7, Action: test.action, UIDs: []uint32{5}}
			if diff := cmp.Diff(want, asked[0].Event.(schemas.MailDispose).Data); diff != "" {
				t.Errorf("disposal (-want +got):\n%s", diff)
			}
		})
	}
}

// described returns the subject of an event and what tells it from others.
func described(t *testing.T, p bus.Publication) string {
	t.Helper()
	switch e := p.Event.(type) {
	case schemas.MailPersisted:
		if e.Data.MailID != "m1" || e.ID != e.Data.ItemID || p.MsgID != "p:"+e.Data.ItemID || !e.Data.Bounce || e.Data.Size != 99 {
			t.Errorf("event is %+v with message id %s", e, p.MsgID)
		}
		return p.Subject + " " + e.Data.ItemID + " " + e.Data.Folder
	case schemas.MailRejected:
		if e.ID != "m1" || p.MsgID != "i:m1" {
			t.Errorf("event is %+v with message id %s", e, p.MsgID)
		}
		return p.Subject + " " + e.Data.MailID + " " + string(e.Data.Reason)
	}
	t.Fatalf("a %T is announced", p.Event)
	return ""
}

// One event asks for the disposal of many mails; the stored verdict tells them apart.
func TestDisposalsAreGroupedByTheStoredVerdict(t *testing.T) {
	t.Parallel()
	accepted, invalid := storedAs(schemas.Accepted, "", "support"), storedAs(schemas.Invalid, schemas.ReasonLoop)
	got := map[schemas.Action][]uint32{}
	for _, p := range disposals([]*work{
		committed(9, toSupport, accepted),
		committed(4, toNobody, accepted),
		committed(8, toSupport, invalid),
		committed(3, toNobody, invalid),
		committed(4, toNobody, accepted), // delivered twice in one batch
	}, time.Now()) {
		d := p.Event.(schemas.MailDispose).Data
		got[d.Action] = append(got[d.Action], d.UIDs...)
	}
	want := map[schemas.Action][]uint32{schemas.ActionPersisted: {4, 9}, schemas.ActionInvalid: {3, 8}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("disposals (-want +got):\n%s", diff)
	}
}
