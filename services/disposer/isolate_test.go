package disposer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/servicetest"
)

// A touchy mail server ends the connection at a MOVE with one of some mails.
type touchy struct {
	bad []uint32

	mu    sync.Mutex
	moved map[uint32]int
	lost  int
}

func (s *touchy) move(c *imaptest.ScriptConn, tag, args string) {
	set, _, _ := strings.Cut(args, " ")
	uids := expand(set)
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(uids, func(uid uint32) bool { return slices.Contains(s.bad, uid) }) {
		s.lost++
		c.Close()
		return
	}
	for _, uid := range uids {
		s.moved[uid]++
	}
	c.OK(tag)
}

// expand returns the UIDs of a set (RFC 3501, section 9: sequence-set).
func expand(set string) []uint32 {
	var all []uint32
	for part := range strings.SplitSeq(set, ",") {
		from, to, ok := strings.Cut(part, ":")
		first, _ := strconv.Atoi(from)
		last := first
		if ok {
			last, _ = strconv.Atoi(to)
		}
		all = append(all, uids(uint32(first), uint32(last-first+1))...)
	}
	return all
}

// touchyRig runs a disposer of a mailbox on a touchy server that has lost so many
// connections so far.
func touchyRig(t *testing.T, losses int, bad ...uint32) (*rig, *touchy) {
	t.Helper()
	r := newRig(t, 1)
	s := &touchy{bad: bad, moved: map[uint32]int{}}
	r.mailbox = servicetest.Mailbox("info", imaptest.NewScript(t, "MOVE UIDPLUS", nil, imaptest.Rules{"UID MOVE": s.move}).Target(), "support")
	r.runSuspicious(losses)
	return r, s
}

// waiting returns the orders that wait on RETRY, by UID, with their attempts.
func (r *rig) waiting() map[string]string {
	r.t.Helper()
	stream, err := r.Conn.JetStream().Stream(r.t.Context(), schemas.StreamRetry)
	if err != nil {
		r.t.Fatal(err)
	}
	all := map[string]string{}
	state := stream.CachedInfo().State
	for seq := state.FirstSeq; seq > 0 && seq <= state.LastSeq; seq++ {
		m, err := stream.GetMsg(r.t.Context(), seq)
		if err != nil {
			continue // it was due
		}
		_, list, _ := strings.Cut(string(m.Data), `"uids":`)
		all[strings.TrimSuffix(list, "}")] = m.Header.Get(bus.HeaderRetryAttempt)
	}
	return all
}

func TestMailAtWhichTheConnectionEndsDelaysNoOther(t *testing.T) {
	t.Parallel()
	r, s := touchyRig(t, lossesTolerated, 77, 204)
	r.order("info", 7, schemas.ActionPersisted, uids(1, 300)...)
	r.Eventually("the others are moved", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.moved) == 298
	})
	r.Eventually("the two wait, each by itself, with an attempt that counts", func() bool {
		w := r.waiting()
		return len(w) == 2 && w["[77]"] == "1" && w["[204]"] == "1" && r.Left(schemas.StreamDispose) == 0
	})
	told := 0
	for _, e := range r.disposed.All() {
		told += len(e.Data.UIDs)
		if slices.Contains(e.Data.UIDs, 77) || slices.Contains(e.Data.UIDs, 204) {
			t.Errorf("told of as disposed of: %v", e.Data.UIDs)
		}
	}
	if told != 298 {
		t.Errorf("%d disposals were told", told)
	}
	// Another order for all of them, as when none was recorded, does not begin anew.
	r.order("info", 7, schemas.ActionPersisted, uids(1, 300)...)
	r.Eventually("it is done", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.moved[300] == 2
	})
	if w := r.waiting(); len(w) != 2 {
		t.Errorf("now wait %v", w)
	}
}

func TestSearchForBadMailsIsBounded(t *testing.T) {
	t.Parallel()
	r, s := touchyRig(t, lossesTolerated, uids(1, 200)...)
	r.order("info", 7, schemas.ActionPersisted, uids(1, 200)...)
	r.Eventually("it waits", func() bool { return r.Left(schemas.StreamDispose) == 0 && r.Left(schemas.StreamRetry) > 0 })
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lost != lossesToIsolate+1 {
		t.Errorf("%d connections were lost in one search", s.lost)
	}
	blamed := 0
	for uids, attempt := range r.waiting() {
		if strings.Contains(uids, ",") && attempt != "0" {
			t.Errorf("%s waits with %s attempts, and was not searched to its end", uids, attempt)
		}
		if attempt == "1" {
			blamed++
		}
	}
	if blamed == 0 {
		t.Error("no mail is blamed")
	}
}

func TestMailThatAlwaysEndsTheConnectionBecomesADeadLetter(t *testing.T) {
	t.Parallel()
	r, _ := touchyRig(t, 0, 2)
	parked := servicetest.Listen[schemas.MailParked](r.Bench, "mail.v1.event.dead.>")
	// Its last attempt, alone.
	first := schemas.MailKey{Tenant: tenant, Mailbox: "info", UIDValidity: 7, UID: 2}
	event := schemas.MailDispose{
		Attributes: schemas.NewAttributes(schemas.TypeMailDispose, first.Source(), "7", first.ID(), schemas.ContentJSON, time.Now()),
		Data:       schemas.Dispose{Tenant: tenant, Mailbox: "info", UIDValidity: 7, Action: schemas.ActionPersisted, UIDs: []uint32{2}},
	}
	r.publishRetried(event, 5)
	r.Eventually("it is a dead letter", func() bool { return parked.Len() == 1 })
	if p := parked.All()[0].Data; p.Stage != schemas.StageDisposer || !slices.Equal(p.UIDs, []uint32{2}) || p.Attempts != 6 || p.Error == "" {
		t.Errorf("parked %+v", p)
	}
	letters, err := r.Conn.DeadLetters(t.Context(), bus.DeadQuery{Tenant: tenant, Mailbox: "info"})
	if err != nil || len(letters) != 1 {
		t.Fatalf("%v, %v", letters, err)
	}
	if err := r.Conn.Replay(t.Context(), letters[0].Sequence); err != nil {
		t.Fatal(err)
	}
	r.Eventually("a replay tries it again", func() bool { return r.waiting()["[2]"] != "" || parked.Len() == 2 })
}

func TestSuspicionsOfMailboxesAreTheirOwn(t *testing.T) {
	t.Parallel()
	s := newSuspicions()
	for n := range lossesTolerated {
		if s.lost("acme/a") {
			t.Errorf("searched at loss %d", n+1)
		}
	}
	if s.lost("acme/b") || !s.lost("acme/a") || s.lost("acme/a") {
		t.Error("the losses of two mailboxes are counted together, or not anew after a search")
	}
	key := schemas.MailKey{Tenant: tenant, Mailbox: "info", UIDValidity: 7, UID: 2}
	s.setApart(key)
	for want, d := range map[string]schemas.Dispose{
		"[1 3]":   {Tenant: tenant, Mailbox: "info", UIDValidity: 7, UIDs: uids(1, 3)},
		"[2]":     {Tenant: tenant, Mailbox: "info", UIDValidity: 7, UIDs: uids(2, 1)}, // its own order
		"[1 2 3]": {Tenant: tenant, Mailbox: "info", UIDValidity: 8, UIDs: uids(1, 3)},
	} {
		if got := fmt.Sprint(s.without(d)); got != want {
			t.Errorf("%v without %s is %s", d, key, got)
		}
	}
}
