package disposer

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/configwatch"
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
	target, err := w.config.Mail.Target(view)
	if err != nil {
		return nil, err
	}
	permit, err := w.redis.Budget(w.config.Mail.BudgetKey(target), w.config.Mail.Connections, 0).Acquire(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := imapconn.Dial(ctx, target, w.config.IMAP)
	if err != nil {
		permit.Release()
		return nil, away(err)
	}
	if _, err := conn.Select(ctx, view.Mailbox.Document.Inbox); err != nil {
		_ = conn.Close()
		permit.Release()
		return nil, away(fmt.Errorf("selecting the inbox of %s/%s: %w", w.tenant, w.mailbox, err))
	}
	w.conn, w.permit, w.revision = conn, permit, view.Revision
	return conn, nil
}

// away marks the errors that say nothing about the mails: the server cannot be
// reached or does not let us in. The disposal waits for as long as that lasts.
func away(err error) error {
	var e *imapconn.Error
	if errors.As(err, &e) && e.Kind == imapconn.KindFolder {
		return err
	}
	return fault.Unavailable(err)
}

// hangUp closes the connection, if there is one.
func (w *worker) hangUp() {
	if w.conn == nil {
		return
	}
	if err := w.conn.Close(); err != nil {
		w.logger.Debug("closing disposal connection", zap.Error(err))
	}
	w.permit.Release()
	w.conn, w.permit = nil, nil
}
