package fetcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/schemas"
)

// stableTime is how long a session must have lasted for earlier failures to be forgotten.
const stableTime = 5 * time.Minute

// A mailbox is served by this replica for as long as it holds the lease.
type mailbox struct {
	*running
	tenant, id string
	logger     *zap.Logger
	state      *reporter
}

func newMailbox(r *running, tenant, id string) *mailbox {
	logger := r.logger.With(zap.String("tenant", tenant), zap.String("mailbox", id))
	return &mailbox{running: r, tenant: tenant, id: id, logger: logger, state: newReporter(r, tenant, id, logger)}
}

func (m *mailbox) name() string { return m.tenant + "/" + m.id }

func (m *mailbox) permit(ctx context.Context, t imapconn.Target) (*lease.Permit, error) {
	return m.redis.Budget(m.config.Mail.BudgetKey(t), m.config.Mail.Connections, 0).Acquire(ctx)
}

// dial connects, and lets the protocol log know of the connection until ended is
// called. name says what it is for.
func (m *mailbox) dial(ctx context.Context, t imapconn.Target, o imapconn.Options, name string) (conn *imapconn.Conn, ended func(), err error) {
	o.Trace, ended = m.log.Trace(m.tenant, m.id, name)
	if conn, err = imapconn.Dial(ctx, t, o); err != nil {
		ended()
		return nil, nil, err
	}
	return conn, ended, nil
}

// serve runs one session after the other until ctx is done: a new one when the
// configuration changed, and, after a pause, when one failed.
func (m *mailbox) serve(ctx, hard context.Context) {
	defer m.state.leave(hard)
	var refreshing sync.WaitGroup
	refreshing.Go(func() { m.state.refresh(ctx) })
	defer refreshing.Wait()
	var failures schedule
	told := "" // of what is for the landlord alone
	for ctx.Err() == nil {
		changed := m.watcher.Changed()
		view, ok := m.watcher.Mailbox(m.tenant, m.id)
		if !ok || !serviceable(view) {
			m.await(ctx, view, changed, nil)
			continue
		}
		began := time.Now()
		err := m.session(ctx, hard, view)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > stableTime {
			failures = schedule{}
		}
		// A server that changes its mind all the time is not asked all the time.
		anew := errors.Is(err, errReselect) && time.Since(began) > longestRetry
		if err == nil || anew || m.outdated(view) {
			failures = schedule{}
			continue
		}
		pause, status := failures.next(err, view.Mailbox.Document.ConnectRetries)
		more := zap.Skip()
		if detail := egress.Detail(err); detail != told {
			told, more = detail, zap.String("detail", detail)
		}
		m.logger.Warn("serving mailbox", zap.Error(err), more, zap.String("status", string(status)), zap.Duration("next_attempt_in", pause))
		m.state.failed(hard, status, err, time.Now().Add(pause))
		t := time.NewTimer(pause)
		m.await(ctx, view, changed, t.C)
		t.Stop()
	}
}

// await returns when ctx is done, the mailbox's configuration is another than
// the view's, or the timer fires.
func (m *mailbox) await(ctx context.Context, v configwatch.View, changed <-chan struct{}, timer <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer:
			return
		case <-changed:
			changed = m.watcher.Changed()
			if m.outdated(v) {
				return
			}
		}
	}
}

// outdated reports whether what a session depends on has changed since the view.
func (m *mailbox) outdated(v configwatch.View) bool {
	now, ok := m.watcher.Mailbox(m.tenant, m.id)
	return !ok || now.Mailbox.Revision != v.Mailbox.Revision || now.Tenant.Revision != v.Tenant.Revision
}

// session serves the mailbox under one configuration.
func (m *mailbox) session(ctx, hard context.Context, view configwatch.View) (err error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	watched, changed := make(chan struct{}), m.watcher.Changed() // before it is looked at, or a change is missed
	go func() {
		defer close(watched)
		m.await(ctx, view, changed, nil)
		stop()
	}()
	defer func() {
		stop()
		<-watched
	}()
	if m.outdated(view) {
		return nil
	}
	target, err := m.config.Mail.Target(view)
	if err != nil {
		return err
	}
	m.state.connecting(hard, view)
	permit, err := m.permit(ctx, target)
	if err != nil {
		return err
	}
	defer permit.Release()
	conn, ended, err := m.dial(ctx, target, m.config.IMAP, "watch")
	if err != nil {
		return err
	}
	defer ended()
	defer func() { err = errors.Join(err, ignoreClosed(conn.Close(), err)) }()
	inbox, err := conn.Select(ctx, view.Mailbox.Document.Inbox)
	if err != nil {
		return fmt.Errorf("selecting the inbox of %s: %w", m.name(), err)
	}
	d := view.Mailbox.Document
	s := &session{
		mailbox: m, view: view, target: target, conn: conn, inbox: inbox,
		backlog: newBacklog(d.MaxItems, d.MaxLightBytes, d.MaxEmailBytes),
	}
	s.backlog.parkTime = cmp.Or(m.config.parkTime, parkTime)
	return s.run(ctx, hard)
}

// giveUp makes dead letters of mails that could not be downloaded, time and
// again and each alone. They stay in the inbox, and are left alone there.
func (s *session) giveUp(ctx context.Context, troubles []trouble) {
	for _, t := range troubles {
		key := s.key(t.mail.UID)
		err := fmt.Errorf("downloading %s (%d bytes), %d times: %w", key, t.mail.Size, t.attempts, t.cause)
		if perr := s.running.conn.GiveUp(ctx, schemas.StageFetcher, key, t.attempts, err); perr != nil {
			// Not parked means tried again, which is what it would be after a replay.
			s.logger.Error("parking mail", zap.Error(perr), zap.NamedError("cause", t.cause))
			continue
		}
		s.logger.Error("mail was parked", zap.Error(err), zap.String("mail_id", key.ID()))
	}
	if len(troubles) > 0 {
		s.conn.Wake() // the state is to tell of it
	}
}
