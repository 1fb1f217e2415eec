package storetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// claim returns the UIDs of the mails whose disposal is overdue after a time.
func claim(t testing.TB, s mailstore.Store, after time.Duration, limit int) []mailstore.Overdue {
	t.Helper()
	mails, err := s.ClaimOverdue(t.Context(), time.Now().Add(after), limit)
	if err != nil {
		t.Fatalf("ClaimOverdue: %v", err)
	}
	slices.SortFunc(mails, func(a, b mailstore.Overdue) int { return int(a.Key.UID) - int(b.Key.UID) })
	return mails
}

func originated(uidvalidity, uid uint32, origin string) mailstore.Mail {
	m := NewMail("acme", "inbox", uidvalidity, uid, 900)
	m.Origin = origin
	return m
}

func overdue(t *testing.T, db Database) {
	s := db.Open(t)
	gone, stays, invalid := originated(1, 1, "a"), originated(1, 2, "a"), originated(1, 3, "b")
	invalid.Decision = schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonLoop}
	// Of mail from before origins were stored, it is not known whose UIDs they are.
	persist(t, s, gone, stays, invalid, originated(1, 4, ""))
	dispose(t, s, gone)
	if early := claim(t, s, mailstore.DisposalTime-time.Minute, 10); len(early) != 0 {
		t.Errorf("before it is time: %v", early)
	}
	want := []mailstore.Overdue{{Key: stays.Key, Origin: "a", Verdict: schemas.Accepted}, {Key: invalid.Key, Origin: "b", Verdict: schemas.Invalid}}
	if diff := cmp.Diff(want, claim(t, s, mailstore.DisposalTime+time.Minute, 10)); diff != "" {
		t.Errorf("overdue (-want +got):\n%s", diff)
	}
	// What was asked for is left alone for as long as it has waited.
	for _, again := range []struct {
		after time.Duration
		mails int
	}{{20 * time.Minute, 0}, {33 * time.Minute, 2}, {60 * time.Minute, 0}, {67 * time.Minute, 2}, {72 * time.Hour, 2}, {95 * time.Hour, 0}, {97 * time.Hour, 2}} {
		if got := claim(t, s, again.after, 10); len(got) != again.mails {
			t.Errorf("after %s: %v, want %d", again.after, got, again.mails)
		}
	}
	dispose(t, s, stays, invalid)
	if got := claim(t, s, 1000*time.Hour, 10); len(got) != 0 {
		t.Errorf("when all is recorded: %v", got)
	}
}

// A mail that has another key now is asked for under this one, in the account
// that it was found in.
func overdueRekeyed(t *testing.T, db Database) {
	s := db.Open(t)
	old := originated(1, 1, "a")
	again := old
	again.Key.UIDValidity, again.Key.UID, again.Origin, again.FetchedAt = 2, 9, "b", old.FetchedAt.Add(time.Hour)
	persist(t, s, old)
	persist(t, s, again)
	if diff := cmp.Diff([]mailstore.Overdue{{Key: again.Key, Origin: "b", Verdict: schemas.Accepted}}, claim(t, s, time.Hour, 10)); diff != "" {
		t.Errorf("overdue (-want +got):\n%s", diff)
	}
}

func overdueShared(t *testing.T, db Database) {
	s := db.Open(t)
	var mails []mailstore.Mail
	for uid := range uint32(50) {
		mails = append(mails, originated(1, uid+1, "a"))
	}
	persist(t, s, mails...)
	var mu sync.Mutex
	got := map[uint32]int{}
	var g sync.WaitGroup
	for range 3 {
		g.Go(func() {
			for range 10 {
				claimed, err := s.ClaimOverdue(t.Context(), time.Now().Add(time.Hour), 7)
				if err != nil || len(claimed) > 7 {
					t.Errorf("%d mails at once, want 7: %v", len(claimed), err)
				}
				mu.Lock()
				for _, m := range claimed {
					got[m.Key.UID]++
				}
				mu.Unlock()
			}
		})
	}
	g.Wait()
	for uid := range uint32(50) {
		if got[uid+1] != 1 {
			t.Errorf("mail %d was given to %d callers", uid+1, got[uid+1])
		}
	}
}
