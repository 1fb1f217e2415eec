package pgstore

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

// maxConflicts is how often a transaction that lost against another one is
// tried again. Rows are locked in one order, so even one conflict is rare.
const maxConflicts = 5

// Persist implements mailstore.Store. Batches with large mail wait for each
// other, two at a time, so that light mail always finds a connection.
func (s *Store) Persist(ctx context.Context, mails []mailstore.Mail) ([]mailstore.Outcome, error) {
	if len(mails) == 0 {
		return nil, nil
	}
	release, err := s.turn(ctx, mails)
	if err != nil {
		return nil, err
	}
	defer release()
	batch := record.NewBatch(mails)
	err = s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		batch.Reset()
		return persist(ctx, tx, batch)
	})
	switch {
	case err == nil:
		return batch.Result(), nil
	case ctx.Err() != nil || fault.IsUnavailable(err):
		return nil, fmt.Errorf("persisting %d mails: %w", len(mails), err)
	case len(mails) == 1:
		err := fmt.Errorf("persisting mail %s: %w", mails[0].Key, err)
		if refuses(err) {
			return nil, fault.Permanent(err)
		}
		return nil, err
	default:
		return nil, fmt.Errorf("persisting %d mails from %s on: %w", len(mails), mails[0].Key, err)
	}
}

// begin asks for the isolation that Persist counts on, in which a statement sees
// what was committed before it, and keeps the planner from scanning a whole
// table because it was small when the statement was planned: what is looked up
// here always has an index.
const begin = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL enable_seqscan = off; SET LOCAL jit = off"

// write runs a transaction, again if it lost against another one.
func (s *Store) write(ctx context.Context, do func(context.Context, pgx.Tx) error) error {
	limited, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := pgx.BeginTxFunc(limited, s.pool, pgx.TxOptions{BeginQuery: begin}, func(tx pgx.Tx) error { return do(limited, tx) })
		if !conflicts(err) {
			return classify(ctx, err)
		}
		if attempt == maxConflicts {
			return classify(ctx, err)
		}
	}
}

// persist stores a batch. The order of its steps matters: first what is there,
// then the mails, whose conflicts tell what another process stored meanwhile,
// then the rows that belong to the mails that are new.
func persist(ctx context.Context, tx pgx.Tx, b *record.Batch) error {
	persistedAt := time.Now().UTC().Truncate(time.Microsecond)
	for _, which := range b.Rounds() {
		missing, err := lookup(ctx, tx, b, which)
		if err != nil {
			return err
		}
		seqs := map[int]int64{} // of the new mails, by their place in the batch
		for attempt := 0; len(missing) > 0; attempt++ {
			if attempt == maxConflicts {
				return fmt.Errorf("inserting mail %s: its mail ids are taken", b.Records[missing[0]].Key)
			}
			if err := insertMails(ctx, tx, b, missing, persistedAt, seqs); err != nil {
				return err
			}
			if missing, err = resolve(ctx, tx, b, missing, seqs); err != nil {
				return err
			}
		}
		if len(seqs) == 0 {
			continue
		}
		if err := insertParts(ctx, tx, b, which, seqs, persistedAt); err != nil {
			return err
		}
	}
	return nil
}
