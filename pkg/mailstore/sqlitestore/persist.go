package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

// Persist implements mailstore.Store.
func (s *Store) Persist(ctx context.Context, mails []mailstore.Mail) ([]mailstore.Outcome, error) {
	if len(mails) == 0 {
		return nil, nil
	}
	batch := record.NewBatch(mails)
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return persist(ctx, tx, batch)
	})
	switch {
	case err == nil:
		return batch.Result(), nil
	case ctx.Err() != nil || fault.IsUnavailable(err):
		return nil, fmt.Errorf("persisting %d mails: %w", len(mails), err)
	case len(mails) == 1:
		return nil, fault.Permanent(fmt.Errorf("persisting mail %s: %w", mails[0].Key, err))
	default:
		return nil, fmt.Errorf("persisting %d mails from %s on: %w", len(mails), mails[0].Key, err)
	}
}

// persist stores a batch. Nobody else writes meanwhile, so a record of which
// nothing was there at the beginning is new.
func persist(ctx context.Context, tx *sql.Tx, b *record.Batch) error {
	st := &statements{ctx: ctx, tx: tx, prepared: map[string]*sql.Stmt{}}
	defer st.close()
	persistedAt := time.Now().UTC().Format(timeLayout)
	for _, which := range b.Rounds() {
		suspects, err := suspects(st, b, which)
		if err != nil {
			return fmt.Errorf("looking up mail keys: %w", err)
		}
		moved := map[mailbox]*record.Candidates{}
		for _, n := range which {
			r := b.Records[n]
			if suspects[n] {
				known, err := lookup(st, r, &b.Outcomes[n], moved)
				if err != nil {
					return fmt.Errorf("looking up mail %s: %w", r.Key, err)
				}
				if known {
					continue
				}
			}
			if err := insert(st, r, persistedAt); err != nil {
				return fmt.Errorf("inserting mail %s: %w", r.Key, err)
			}
			b.Outcomes[n] = r.Outcome()
		}
		if err := count(st, b.Tallies(which), persistedAt); err != nil {
			return err
		}
	}
	return nil
}

func count(st *statements, tallies []record.Tally, persistedAt string) error {
	for _, t := range tallies {
		err := st.exec(`INSERT INTO tallies AS t (tenant, mailbox, day, verdict, reason, mails, bytes, last_persisted_at)
			VALUES (?1, ?2, substr(?7, 1, 10), ?3, ?4, ?5, ?6, ?7)
			ON CONFLICT (tenant, mailbox, day, verdict, reason) DO UPDATE SET mails = t.mails + excluded.mails,
				bytes = t.bytes + excluded.bytes, last_persisted_at = max(t.last_persisted_at, excluded.last_persisted_at)`,
			t.Tenant, t.Mailbox, t.Verdict, t.Reason, t.Mails, t.Bytes, persistedAt)
		if err != nil {
			return fmt.Errorf("counting mail of %s/%s: %w", t.Tenant, t.Mailbox, err)
		}
	}
	return nil
}
