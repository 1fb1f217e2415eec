package fetcher

import (
	"context"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/schemas"
)

// refreshTime is how often an unchanged state is written again, so that its
// reader can tell a mailbox that is well from a replica that is gone.
const refreshTime = 5 * time.Second

// A reporter keeps a mailbox's state where administrators see it, and publishes
// an event when the status changes.
type reporter struct {
	*running
	logger *zap.Logger

	mu          sync.Mutex
	state       schemas.MailboxState
	forLandlord string // state.Detail with what is not for tenants
	written     time.Time
}

func newReporter(r *running, tenant, id string, logger *zap.Logger) *reporter {
	return &reporter{running: r, logger: logger, state: schemas.MailboxState{Tenant: tenant, Mailbox: id, Replica: r.replica}}
}

// refresh writes the state when it is due, until ctx is done: also while the
// mailbox waits for its next attempt, which may take an hour.
func (r *reporter) refresh(ctx context.Context) {
	t := time.NewTicker(refreshTime / 5)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			r.update(ctx, func(*schemas.MailboxState) {})
		}
	}
}

func (r *reporter) connecting(ctx context.Context, v configwatch.View) {
	r.update(ctx, func(s *schemas.MailboxState) {
		if s.Status == "" || s.Revision != v.Mailbox.Revision {
			s.Status, s.Detail, s.NextAttempt = schemas.StatusConnecting, "", nil
		}
		s.Revision = v.Mailbox.Revision
	})
}

func (r *reporter) failed(ctx context.Context, status schemas.MailboxStatus, err error, next time.Time) {
	r.update(ctx, func(s *schemas.MailboxState) {
		next := next.UTC()
		s.Status, s.Detail, s.NextAttempt = status, detail(err.Error()), &next
		r.forLandlord = ""
		if more := egress.Detail(err); more != "" {
			r.forLandlord = detail(err.Error() + ": " + more)
		}
	})
}

// leave tells what becomes of a mailbox that this replica serves no more, if
// that is an administrator's doing; else its next replica will tell.
func (r *reporter) leave(ctx context.Context) {
	r.metrics.unaccounted.DeleteLabelValues(r.state.Tenant, r.state.Mailbox)
	v, ok := r.watcher.Mailbox(r.state.Tenant, r.state.Mailbox)
	if !ok || v.Mailbox.DeletedAt != nil {
		if err := r.redis.DeleteState(ctx, r.state.Tenant, r.state.Mailbox); err != nil {
			r.logger.Warn("deleting the state of a deleted mailbox", zap.Error(err))
		}
		return
	}
	if !v.Mailbox.Document.Enabled {
		r.update(ctx, func(s *schemas.MailboxState) {
			s.Status, s.Detail, s.NextAttempt, s.Waiting, s.Revision = schemas.StatusDisabled, "", nil, 0, v.Mailbox.Revision
		})
	}
}

// update changes the state, writes it and, if the status is another, tells of it.
func (r *reporter) update(ctx context.Context, change func(*schemas.MailboxState)) {
	r.mu.Lock()
	before := r.state
	change(&r.state)
	if r.state.Detail == "" {
		r.forLandlord = ""
	}
	changed := r.state.Status != before.Status || r.state.Detail != before.Detail || r.state.NextAttempt != before.NextAttempt ||
		r.state.Waiting != before.Waiting || r.state.InFlight != before.InFlight || r.state.Parked != before.Parked
	if r.state.Status != before.Status {
		r.state.Since = time.Now().UTC()
	}
	known := r.state.Status != "" // it is not before the first session
	if !changed && !(known && time.Since(r.written) >= refreshTime) {
		r.mu.Unlock()
		return
	}
	r.written = time.Now()
	now := r.written.UTC()
	r.state.ObservedAt = &now
	state := r.state
	err := r.redis.SetState(ctx, state, r.forLandlord) // locked: a state never overwrites the one that came after it
	r.mu.Unlock()
	if err != nil {
		r.logger.Warn("writing the mailbox's state", zap.Error(err))
	}
	if state.Status != before.Status {
		r.tell(ctx, state)
	}
}

func (r *reporter) tell(ctx context.Context, state schemas.MailboxState) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	id := state.Tenant + "." + state.Mailbox + "." + state.Since.Format(time.RFC3339Nano)
	event := schemas.MailboxStateChanged{
		Attributes: schemas.NewAttributes(schemas.TypeMailboxState, schemas.Source(state.Tenant, state.Mailbox), string(state.Status), id, schemas.ContentJSON, state.Since),
		Data:       state,
	}
	err := r.conn.PublishAll(ctx, []bus.Publication{{Subject: schemas.SubjectMailboxState(state.Status, state.Tenant, state.Mailbox), Event: event, MsgID: "s:" + id}})
	if err != nil {
		r.logger.Warn("publishing the mailbox's state", zap.Error(err), zap.String("status", string(state.Status)))
	}
}

// report notes that the server answered a listing, and what was found.
func (s *session) report(ctx context.Context, c counts) {
	s.metrics.unaccounted.WithLabelValues(s.tenant, s.id).Set(float64(c.unaccounted()))
	s.state.update(ctx, func(m *schemas.MailboxState) {
		now := time.Now().UTC()
		m.LastSuccess, m.NextAttempt, m.Detail = &now, nil, ""
		m.Waiting, m.InFlight, m.Parked = c.waiting+c.taken, c.inFlight, c.parked
		switch {
		case m.Waiting > s.view.Mailbox.Document.MaxItems: // more than is fetched at once anyway
			m.Status = schemas.StatusDraining
		case s.conn.HasIdle():
			m.Status = schemas.StatusLive
		default:
			m.Status = schemas.StatusPolling
		}
	})
}

// detail is a text for people: one line of at most 500 bytes.
func detail(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > 500 {
		text = strings.ToValidUTF8(text[:497], "") + "…"
	}
	return text
}
