package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// A mail that is classified again after its folders changed keeps the verdict
// and the items that consumers may have seen, however it is recognised, and the
// outcome tells these.
func firstDecisionStays(t *testing.T, db Database) {
	s := db.Open(t)
	ways := []func(first, again mailstore.Mail) (out mailstore.Outcome, disposed bool){
		func(first, again mailstore.Mail) (mailstore.Outcome, bool) { // by its key
			persist(t, s, first)
			return persist(t, s, again)[0], false
		},
		func(first, again mailstore.Mail) (mailstore.Outcome, bool) { // in the same batch
			return persist(t, s, first, again)[1], false
		},
		func(first, again mailstore.Mail) (mailstore.Outcome, bool) { // back in the inbox
			persist(t, s, first)
			dispose(t, s, first)
			return persist(t, s, again)[0], true
		},
		func(first, again mailstore.Mail) (mailstore.Outcome, bool) { // under a new UIDVALIDITY
			persist(t, s, first)
			return persist(t, s, refetched(again, 2, again.Key.UID))[0], false
		},
		func(first, again mailstore.Mail) (mailstore.Outcome, bool) { // late, under the old one
			now := refetched(first, 2, first.Key.UID)
			persist(t, s, first)
			persist(t, s, now)
			dispose(t, s, now)
			return persist(t, s, again)[0], true
		},
	}
	accepted := func(folders ...string) schemas.Decision {
		d := schemas.Decision{Verdict: schemas.Accepted, Revision: 7}
		for _, folder := range folders {
			d.Clones = append(d.Clones, schemas.Clone{Folder: folder, FolderName: folder, Rule: schemas.RuleExact})
		}
		return d
	}
	invalid := func(r schemas.Reason) schemas.Decision {
		return schemas.Decision{Verdict: schemas.Invalid, Reason: r, Revision: 8}
	}
	uid := uint32(0)
	for _, decisions := range [][2]schemas.Decision{
		{accepted("support", "sales"), accepted("sales", "billing", "office")},
		{accepted("support", "sales"), accepted("sales")},
		{accepted("support"), invalid(schemas.ReasonNoMatchingFolder)},
		{invalid(schemas.ReasonNoMatchingFolder), accepted("support", "sales")},
		{invalid(schemas.ReasonLoop), invalid(schemas.ReasonNoMatchingFolder)},
	} {
		for way, comesAgain := range ways {
			uid++
			first := NewMail("acme", "inbox", 1, uid, 600)
			again := first
			first.Decision, again.Decision = decisions[0], decisions[1]
			got, disposed := comesAgain(first, again)

			id := first.Key.ID()
			want := mailstore.Outcome{MailID: id, Verdict: first.Decision.Verdict, Reason: first.Decision.Reason, Disposed: disposed}
			for _, c := range first.Decision.Clones {
				want.Items = append(want.Items, mailstore.OutcomeItem{ID: mailstore.ItemID(id, c.Folder), Folder: c.Folder})
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("way %d, %+v then %+v: outcome (-want +got):\n%s", way, decisions[0], decisions[1], diff)
			}
			d := detail(t, s, "acme", id)
			stored := mailstore.Outcome{MailID: id, Verdict: d.Verdict, Reason: d.Reason, Disposed: d.DisposedAt != nil}
			for _, it := range d.Items {
				stored.Items = append(stored.Items, mailstore.OutcomeItem{ID: it.ID, Folder: it.Folder})
			}
			if diff := cmp.Diff(want, stored, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("way %d, %+v then %+v: stored (-want +got):\n%s", way, decisions[0], decisions[1], diff)
			}
		}
	}
	wantStored(t, s, "acme", int(uid))
}
