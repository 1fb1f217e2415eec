package disposer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// dispose brings each batch to its end and settles its messages. What was not
// begun when held is done goes back to be delivered to the next owner.
func (w *worker) dispose(held, work context.Context, batches []*batch) {
	for _, b := range batches {
		failures := []failure{{b.UIDs, context.Canceled}}
		if held.Err() == nil {
			failures = w.attempt(work, b)
		}
		for _, o := range b.orders {
			w.settleOrder(work, o, failures)
			w.keeper.drop(o.message)
		}
	}
}

// attempt returns what was not done of a batch.
func (w *worker) attempt(ctx context.Context, b *batch) []failure {
	if len(b.UIDs) == 0 {
		return nil
	}
	slices.Sort(b.UIDs)
	b.UIDs = slices.Compact(b.UIDs)
	err := w.disposeBatch(ctx, b)
	if err == nil {
		return nil
	}
	w.hangUp()
	if ctx.Err() != nil {
		w.logger.Info("disposal was interrupted; the next owner of the partition repeats it", zap.Error(err), zap.Int("mails", len(b.UIDs)))
		return []failure{{b.UIDs, context.Canceled}} // whatever it looked like
	}
	w.logger.Warn("disposing of mail", zap.Error(err), zap.Int("mails", len(b.UIDs)), zap.String("action", string(b.Action)))
	var lost *lostError
	if errors.As(err, &lost) {
		return w.lostIn(ctx, b, lost)
	}
	return []failure{{b.UIDs, err}}
}

// disposeBatch does what was ordered on the mail server, tells of it, and
// clears the in-flight marks, in this order: a crash in between repeats a
// harmless command.
func (w *worker) disposeBatch(ctx context.Context, b *batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("disposing: panic: %v\n%s", p, debug.Stack())
		}
	}()
	if b.Action == schemas.ActionRelease {
		return w.unmark(ctx, b)
	}
	view, ok := w.watcher.Mailbox(w.tenant, w.mailbox)
	if !ok {
		// The record outlives the mailbox by a day; after that its mail server is out of reach.
		w.logger.Info("mailbox is gone; its mail stays on the server", zap.Int("mails", len(b.UIDs)))
		return w.unmark(ctx, b)
	}
	if !view.Mailbox.Document.Enabled && view.Mailbox.DeletedAt == nil {
		return fault.Unavailable(fmt.Errorf("disposing of mail of %s/%s: the mailbox is disabled", w.tenant, w.mailbox))
	}
	if b.Origin != "" && b.Origin != view.Mailbox.Document.Origin() {
		// The mailbox was pointed at another account or folder: there, these
		// UIDs may name other mails, under the same UIDVALIDITY.
		w.logger.Warn("the mailbox has another account now; nothing was touched", zap.Int("mails", len(b.UIDs)))
		return w.unmark(ctx, b)
	}
	method, folder := policy(view.Mailbox.Document, b.Action)
	moved, err := w.remove(ctx, view, b, method, folder)
	if errors.Is(err, imapconn.ErrUIDValidity) {
		// These UIDs name other mails now. What is still in the inbox is fetched
		// under its new key and recognised by its content.
		w.logger.Warn("UIDVALIDITY changed; nothing was touched", zap.Uint32("uidvalidity", b.UIDValidity), zap.Int("mails", len(b.UIDs)))
		return w.unmark(ctx, b)
	}
	if err != nil {
		return err
	}
	if err := w.tell(ctx, b, method, moved.Destination); err != nil {
		return err
	}
	w.disposed.WithLabelValues(string(b.Action)).Add(float64(len(b.UIDs)))
	return w.unmark(ctx, b)
}

// policy returns what the mailbox wants done and the folder that it is done with.
func policy(m config.Mailbox, a schemas.Action) (config.Method, string) {
	method, folder := m.PersistedMethod, m.PersistedFolder
	if a == schemas.ActionInvalid {
		method, folder = m.InvalidMethod, m.InvalidFolder
	}
	if method == config.MethodDelete {
		folder = m.DeletedFolder
	}
	return method, folder
}

func (w *worker) remove(ctx context.Context, view configwatch.View, b *batch, method config.Method, folder string) (imapconn.Moved, error) {
	conn, err := w.connect(ctx, view)
	if err != nil {
		return imapconn.Moved{}, err
	}
	var moved imapconn.Moved
	if method == config.MethodDelete {
		moved, err = conn.Delete(ctx, b.UIDValidity, b.UIDs, folder)
	} else {
		moved, err = conn.Move(ctx, b.UIDValidity, b.UIDs, folder)
	}
	return moved, passing(err)
}

func (w *worker) tell(ctx context.Context, b *batch, method config.Method, destination string) error {
	now := time.Now().UTC()
	first := schemas.MailKey{Tenant: w.tenant, Mailbox: w.mailbox, UIDValidity: b.UIDValidity, UID: b.UIDs[0]}
	id := fmt.Sprintf("%s.%d.%s", first.ID(), len(b.UIDs), strconv.FormatInt(now.UnixNano(), 36))
	return w.running.conn.PublishAll(ctx, []bus.Publication{{
		Subject: schemas.SubjectDisposed(w.tenant, w.mailbox), MsgID: "g:" + id,
		Event: schemas.MailDisposed{
			Attributes: schemas.NewAttributes(schemas.TypeMailDisposed, first.Source(), strconv.FormatUint(uint64(b.UIDValidity), 10), id, schemas.ContentJSON, now),
			Data: schemas.Disposed{
				Tenant: w.tenant, Mailbox: w.mailbox, UIDValidity: b.UIDValidity, UIDs: b.UIDs,
				Action: b.Action, Method: string(method), Destination: destination, DisposedAt: now,
			},
		},
	}})
}

// unmark clears in-flight marks. Redis being away does not undo a disposal:
// the marks end by themselves.
func (w *worker) unmark(ctx context.Context, b *batch) error {
	if err := w.redis.Unmark(ctx, w.tenant, w.mailbox, b.UIDValidity, b.UIDs); err != nil {
		w.logger.Warn("clearing in-flight marks", zap.Error(err), zap.Int("mails", len(b.UIDs)))
	}
	return nil
}

func (r *running) settle(ctx context.Context, m *bus.Message, err error) {
	if err := m.Settle(ctx, err); err != nil {
		// Not settled means delivered again, which is harmless.
		r.logger.Warn("settling message", zap.Error(err), zap.String("subject", m.Subject()))
	}
}
