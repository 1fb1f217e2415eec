package disposer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

const (
	// lossesTolerated is how many commands in a row may end with the connection
	// before a mail is suspected: networks lose connections too.
	lossesTolerated = 2
	// lossesToIsolate bounds the connections that are lost in one search for the
	// mails at fault: nine find one among 500.
	lossesToIsolate = 20
	// apartTime is how long a mail that was taken out of its order is left to its
	// own: until that has had all its attempts.
	apartTime = 4 * time.Hour
)

// A lostError is of a command in which the connection ended.
type lostError struct{ err error }

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

// waiting returns it as one that says nothing about the mails.
func (e *lostError) waiting() error {
	return fault.Unavailable(&fault.Delayed{Err: e.err, After: awayTime})
}

// blamed returns it as one that counts against a mail: the kind of error that
// says to wait is left out.
func (e *lostError) blamed() error {
	return fmt.Errorf("the mail server ends the connection whenever it is to dispose of this mail: %v", e.err)
}

// A failure is what was not done of a batch, and why.
type failure struct {
	uids []uint32
	err  error
}

// suspicions are what a replica remembers of mails at which connections end.
type suspicions struct {
	mu     sync.Mutex
	losses map[string]int                // by tenant/mailbox, since it was last searched
	apart  map[schemas.MailKey]time.Time // mails that have an order of their own, until when
}

func newSuspicions() *suspicions {
	return &suspicions{losses: map[string]int{}, apart: map[schemas.MailKey]time.Time{}}
}

// lost counts a loss and reports whether to search for the mail at fault now.
func (s *suspicions) lost(mailbox string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.losses[mailbox]++; s.losses[mailbox] <= lossesTolerated {
		return false
	}
	delete(s.losses, mailbox)
	return true
}

func (s *suspicions) setApart(keys ...schemas.MailKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, until := range s.apart {
		if time.Now().After(until) {
			delete(s.apart, key)
		}
	}
	for _, key := range keys {
		s.apart[key] = time.Now().Add(apartTime)
	}
}

// without returns an order's UIDs without those that have orders of their own.
// An order of one mail may be just that.
func (s *suspicions) without(d schemas.Dispose) []uint32 {
	if len(d.UIDs) < 2 {
		return d.UIDs
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.apart) == 0 {
		return d.UIDs
	}
	return slices.DeleteFunc(slices.Clone(d.UIDs), func(uid uint32) bool {
		return time.Now().Before(s.apart[schemas.MailKey{Tenant: d.Tenant, Mailbox: d.Mailbox, UIDValidity: d.UIDValidity, UID: uid}])
	})
}

// lostIn decides on a batch in which the connection ended. The first times it
// waits. Then the batch is halved down to the mails at fault, each of which is a
// failure that counts; the others are disposed of.
func (w *worker) lostIn(ctx context.Context, b *batch, lost *lostError) []failure {
	if b.retried && len(b.UIDs) == 1 {
		return []failure{{b.UIDs, lost.blamed()}} // it was alone, again
	}
	if !w.suspicions.lost(w.tenant + "/" + w.mailbox) {
		return []failure{{b.UIDs, lost.waiting()}}
	}
	w.logger.Warn("the mail server ends the connection again and again; looking for the mails at which it does", zap.Error(lost), zap.Int("mails", len(b.UIDs)))
	tries := lossesToIsolate
	return w.isolate(ctx, b, lost, &tries)
}

func (w *worker) isolate(ctx context.Context, b *batch, lost *lostError, tries *int) (failures []failure) {
	if len(b.UIDs) == 1 {
		w.logger.Warn("the mail server ends the connection at this mail", zap.Uint32("uid", b.UIDs[0]), zap.Error(lost))
		w.suspicions.setApart(schemas.MailKey{Tenant: w.tenant, Mailbox: w.mailbox, UIDValidity: b.UIDValidity, UID: b.UIDs[0]})
		return []failure{{b.UIDs, lost.blamed()}}
	}
	half := len(b.UIDs) / 2
	for _, uids := range [][]uint32{b.UIDs[:half], b.UIDs[half:]} {
		part := &batch{Dispose: b.Dispose}
		part.UIDs = uids
		if *tries == 0 {
			failures = append(failures, failure{uids, lost.waiting()})
			continue
		}
		err := w.disposeBatch(ctx, part)
		if err == nil {
			continue
		}
		w.hangUp()
		var again *lostError
		switch {
		case ctx.Err() != nil:
			return append(failures, failure{uids, context.Canceled})
		case errors.As(err, &again):
			*tries--
			failures = append(failures, w.isolate(ctx, part, again, tries)...)
		default:
			if fault.IsUnavailable(err) {
				*tries = 0 // the server is away
			}
			failures = append(failures, failure{uids, err})
		}
	}
	return failures
}

// settleOrder ends an order of a batch of which some mails failed.
func (w *worker) settleOrder(ctx context.Context, o order, failures []failure) {
	var failed []failure
	for _, f := range failures {
		if errors.Is(f.err, context.Canceled) {
			w.settle(ctx, o.message, f.err)
			return
		}
		uids := slices.DeleteFunc(slices.Clone(o.UIDs), func(uid uint32) bool { return !slices.Contains(f.uids, uid) })
		if len(uids) > 0 {
			failed = append(failed, failure{uids, f.err})
		}
	}
	switch {
	case len(failed) == 0:
		w.settle(ctx, o.message, nil)
	case len(failed) == 1 && len(failed[0].uids) == len(o.UIDs):
		w.settle(ctx, o.message, failed[0].err)
	default:
		parts := make([]bus.Part, len(failed))
		for i, f := range failed {
			parts[i] = bus.Part{Event: partOf(o.Dispose, f.uids), Outcome: f.err}
		}
		if err := o.message.SettleParts(ctx, parts); err != nil {
			// Not settled means delivered again, which is harmless.
			w.logger.Warn("settling message", zap.Error(err), zap.String("subject", o.message.Subject()))
		}
	}
}

// partOf returns an order for some of the mails of another one.
func partOf(d schemas.Dispose, uids []uint32) schemas.MailDispose {
	d.UIDs = uids
	now := time.Now().UTC()
	first := schemas.MailKey{Tenant: d.Tenant, Mailbox: d.Mailbox, UIDValidity: d.UIDValidity, UID: uids[0]}
	id := fmt.Sprintf("%s.%d.%s", first.ID(), len(uids), strconv.FormatInt(now.UnixNano(), 36))
	return schemas.MailDispose{
		Attributes: schemas.NewAttributes(schemas.TypeMailDispose, first.Source(), strconv.FormatUint(uint64(d.UIDValidity), 10), id, schemas.ContentJSON, now),
		Data:       d,
	}
}
