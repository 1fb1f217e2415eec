package stores

import (
	"context"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

var _ mailstore.Store = (*database)(nil)

// ask calls the database if it is open.
func ask[T any](d *database, call func(mailstore.Store) (T, error)) (answer T, err error) {
	store, err := d.opened()
	if err != nil {
		return answer, err
	}
	answer, err = call(store)
	d.note(err)
	return answer, err
}

func (d *database) Persist(ctx context.Context, mails []mailstore.Mail) ([]mailstore.Outcome, error) {
	return ask(d, func(s mailstore.Store) ([]mailstore.Outcome, error) { return s.Persist(ctx, mails) })
}

func (d *database) RecordDisposed(ctx context.Context, e schemas.Disposed) error {
	_, err := ask(d, func(s mailstore.Store) (struct{}, error) { return struct{}{}, s.RecordDisposed(ctx, e) })
	return err
}

func (d *database) ClaimOverdue(ctx context.Context, now time.Time, limit int) ([]mailstore.Overdue, error) {
	return ask(d, func(s mailstore.Store) ([]mailstore.Overdue, error) { return s.ClaimOverdue(ctx, now, limit) })
}

func (d *database) IndexPending(ctx context.Context, limit int) (int, error) {
	return ask(d, func(s mailstore.Store) (int, error) { return s.IndexPending(ctx, limit) })
}

func (d *database) Mails(ctx context.Context, q mailstore.Query) ([]mailstore.Summary, error) {
	return ask(d, func(s mailstore.Store) ([]mailstore.Summary, error) { return s.Mails(ctx, q) })
}

func (d *database) Mail(ctx context.Context, tenant, mailID string) (mailstore.Detail, error) {
	return ask(d, func(s mailstore.Store) (mailstore.Detail, error) { return s.Mail(ctx, tenant, mailID) })
}

func (d *database) Raw(ctx context.Context, tenant, mailID string) ([]byte, error) {
	return ask(d, func(s mailstore.Store) ([]byte, error) { return s.Raw(ctx, tenant, mailID) })
}

func (d *database) Attachment(ctx context.Context, tenant, mailID string, position int) (mailstore.Attachment, error) {
	return ask(d, func(s mailstore.Store) (mailstore.Attachment, error) {
		return s.Attachment(ctx, tenant, mailID, position)
	})
}

func (d *database) Stats(ctx context.Context, tenant string) (mailstore.Stats, error) {
	return ask(d, func(s mailstore.Store) (mailstore.Stats, error) { return s.Stats(ctx, tenant) })
}

func (d *database) Undisposed(ctx context.Context, tenant, mailbox string) (mails int64, oldest *time.Time, err error) {
	oldest, err = ask(d, func(s mailstore.Store) (*time.Time, error) {
		var at *time.Time
		mails, at, err = s.Undisposed(ctx, tenant, mailbox)
		return at, err
	})
	return mails, oldest, err
}

func (d *database) UnmatchedAddresses(ctx context.Context, tenant, mailbox string, since time.Time, limit int) ([]mailstore.UnmatchedAddress, error) {
	return ask(d, func(s mailstore.Store) ([]mailstore.UnmatchedAddress, error) {
		return s.UnmatchedAddresses(ctx, tenant, mailbox, since, limit)
	})
}

func (d *database) Throughput(ctx context.Context, q mailstore.ThroughputQuery) ([]mailstore.ThroughputPoint, error) {
	return ask(d, func(s mailstore.Store) ([]mailstore.ThroughputPoint, error) { return s.Throughput(ctx, q) })
}
