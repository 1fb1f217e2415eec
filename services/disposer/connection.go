package disposer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/imapconn"
)

// connect returns the worker's connection with the inbox selected. One that was
// made for another configuration, or that no longer answers, is made anew.
func (w *worker) connect(ctx context.Context, view configwatch.View) (*imapconn.Conn, error) {
	if w.conn != nil && w.revision == view.Revision {
		return w.conn, nil
	}
	w.hangUp()
	if err := w.stillRefused(view.Revision); err != nil {
		return nil, err
	}
	target, err := w.config.Mail.Target(view)
	if err != nil {
		return nil, err
	}
	permit, err := w.redis.Budget(w.config.Mail.BudgetKey(target), w.config.Mail.Connections, 0).Acquire(ctx)
	if err != nil {
		return nil, err
	}
	options := w.config.IMAP
	trace, ended := w.log.Trace(w.tenant, w.mailbox, "disposal")
	options.Trace = trace
	conn, err := imapconn.Dial(ctx, target, options)
	if err != nil {
		ended()
		permit.Release()
		return nil, w.away(err, view.Revision)
	}
	if _, err := conn.Select(ctx, view.Mailbox.Document.Inbox); err != nil {
		_ = conn.Close()
		ended()
		permit.Release()
		return nil, w.away(fmt.Errorf("selecting the inbox of %s/%s: %w", w.tenant, w.mailbox, err), view.Revision)
	}
	w.conn, w.permit, w.untrace, w.revision = conn, permit, ended, view.Revision
	return conn, nil
}

// How long a disposal waits for a mail server that is away, and for one that
// may not be dialled, refuses the credentials or cannot be spoken to securely: the latter is only
// asked again when that time is over or the configuration changed.
const (
	awayTime    = 30 * time.Second
	refusedTime = 15 * time.Minute
)

// away marks the errors that say nothing about the mails: the server cannot be
// reached or does not let us in. The disposal waits for as long as that lasts,
// and asks no more often than a server bears.
func (w *worker) away(err error, revision int64) error {
	if detail := egress.Detail(err); detail != "" {
		w.logger.Warn("connecting for disposal", zap.String("detail", detail))
	}
	var e *imapconn.Error
	if !errors.As(err, &e) {
		return fault.Unavailable(err)
	}
	var refused *egress.RefusedError
	if errors.As(err, &refused) {
		w.refusal = refusal{err, revision, time.Now()}
	}
	switch e.Kind {
	case imapconn.KindFolder:
		return err
	case imapconn.KindCredentials, imapconn.KindTLS:
		w.refusal = refusal{err, revision, time.Now()}
	}
	return fault.Unavailable(&fault.Delayed{Err: err, After: max(awayTime, e.After)})
}

// passing marks the errors of a command that say nothing about the mails, since
// the server asks us to wait, and those that mostly do not, since the connection
// was lost. A folder that cannot be made and a refusal count as attempts.
func passing(err error) error {
	var e *imapconn.Error
	switch {
	case !errors.As(err, &e):
		return err
	case e.Kind == imapconn.KindThrottled:
		return fault.Unavailable(&fault.Delayed{Err: err, After: max(awayTime, e.After)})
	case e.Kind == imapconn.KindUnreachable:
		return &lostError{err}
	}
	return err
}

// A refusal is what a mail server answered to a configuration, and when.
type refusal struct {
	err      error
	revision int64
	at       time.Time
}

// stillRefused returns the refusal while it makes no sense to ask again.
func (w *worker) stillRefused(revision int64) error {
	if w.refusal.err == nil || w.refusal.revision != revision || time.Since(w.refusal.at) > refusedTime {
		return nil
	}
	return fault.Unavailable(&fault.Delayed{Err: w.refusal.err, After: awayTime})
}

// hangUp closes the connection, if there is one.
func (w *worker) hangUp() {
	if w.conn == nil {
		return
	}
	if err := w.conn.Close(); err != nil {
		w.logger.Debug("closing disposal connection", zap.Error(err))
	}
	w.untrace()
	w.permit.Release()
	w.conn, w.permit, w.untrace = nil, nil, nil
}
