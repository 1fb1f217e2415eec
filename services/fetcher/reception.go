package fetcher

import (
	"context"
	"fmt"
	"io"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/imapconn"
)

// memoryLimit is how many bytes of mail a replica holds that travel in their
// messages: from the mail server until they are safe in their stream.
const memoryLimit = 256 << 20

// A reception takes the mails of one Fetch and has them published. Its methods
// are Fetch's callbacks, of which one runs at a time.
type reception struct {
	*lane
	ctx          context.Context
	publications *errgroup.Group
	done         []*download             // in full, and not yet handed over
	fail         context.CancelCauseFunc // ends the Fetch
}

// each reads one mail. Its panic is an error, lest one mail ends the replica.
func (r *reception) each(info imapconn.MailInfo, body io.Reader) (err error) {
	var held int64
	defer func() {
		if err != nil {
			r.memory.Release(held)
		}
	}()
	defer r.recovered(&err)
	r.began(info.UID)
	if held, err = r.reserve(info.Size); err != nil {
		return err
	}
	d, err := r.read(r.ctx, info, body)
	if err != nil {
		return err
	}
	d.held = held
	r.done = append(r.done, d)
	r.lane.came(info.UID)
	return nil
}

// reserve waits for memory. Before it does, it hands over what it has: to wait
// with that in hand could be to wait for itself.
func (r *reception) reserve(size int64) (held int64, err error) {
	if size > inlineLimit {
		return 0, nil
	}
	if r.memory.TryAcquire(size) {
		return size, nil
	}
	r.flush()
	if err := r.memory.Acquire(r.ctx, size); err != nil {
		return 0, &unstoredError{fmt.Errorf("waiting for memory for mail of %s: %w", r.name(), err)}
	}
	return size, nil
}

// finished ends a batch.
func (r *reception) finished(batch []imapconn.MailInfo, missing []uint32) {
	var err error
	defer func() {
		if err != nil {
			r.fail(err)
		}
	}()
	defer r.recovered(&err)
	r.lane.missed(batch, missing)
	r.flush()
}

// flush has published what came in full.
func (r *reception) flush() {
	downloads := r.done
	r.done = nil
	r.publications.Go(func() error { return r.publish(r.ctx, downloads) })
}

// recovered makes an error of a panic.
func (l *lane) recovered(err *error) {
	if p := recover(); p != nil {
		l.logger.Error("taking mail panicked", zap.Any("panic", p), zap.Stack("stack"))
		*err = fmt.Errorf("taking mail of %s: panic: %v", l.name(), p)
	}
}
