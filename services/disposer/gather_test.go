package disposer

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func uids(first, n uint32) []uint32 {
	all := make([]uint32, n)
	for i := range all {
		all[i] = first + uint32(i)
	}
	return all
}

func TestOrdersAreGatheredByUIDValidityAndAction(t *testing.T) {
	t.Parallel()
	o := func(uidvalidity uint32, a schemas.Action, uids []uint32) order {
		return order{Dispose: schemas.Dispose{UIDValidity: uidvalidity, Action: a, UIDs: uids}}
	}
	batches := gather([]order{
		o(7, schemas.ActionPersisted, uids(1, 300)), o(7, schemas.ActionInvalid, uids(1000, 1)), o(7, schemas.ActionPersisted, uids(301, 200)),
		o(8, schemas.ActionPersisted, uids(1, 5)), o(7, schemas.ActionPersisted, uids(501, 1)), o(7, schemas.ActionRelease, uids(900, 700)),
	})
	type summary struct {
		uidvalidity   uint32
		action        schemas.Action
		uids, ordered int
	}
	var got []summary
	for _, b := range batches {
		got = append(got, summary{uidvalidity: b.UIDValidity, action: b.Action, uids: len(b.UIDs), ordered: len(b.orders)})
	}
	want := []summary{
		{uidvalidity: 7, action: schemas.ActionPersisted, uids: 500, ordered: 2},
		{uidvalidity: 7, action: schemas.ActionInvalid, uids: 1, ordered: 1},
		{uidvalidity: 8, action: schemas.ActionPersisted, uids: 5, ordered: 1},
		{uidvalidity: 7, action: schemas.ActionPersisted, uids: 1, ordered: 1},
		{uidvalidity: 7, action: schemas.ActionRelease, uids: 700, ordered: 1},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(summary{})); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestWorkerThatEndedTakesNoOrders(t *testing.T) {
	t.Parallel()
	w := &worker{running: &running{suspicions: newSuspicions()}, wakeUp: make(chan struct{}, 1)}
	if !w.offer(order{}) {
		t.Error("a new worker takes no order")
	}
	if orders := w.take(true); len(orders) != 1 {
		t.Errorf("%d orders; the last one is lost", len(orders))
	}
	if w.offer(order{}) {
		t.Error("a worker that ended took an order")
	}
}
