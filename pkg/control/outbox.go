package control

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/mailyard/mailyard/schemas"
)

// An outboxRow is a committed change that is not yet published.
type outboxRow struct {
	id      int64
	eventID string
	change  schemas.ConfigChange
}

func (r outboxRow) target() target { return target{r.change.Kind, r.change.Tenant, r.change.ID} }

// outbox returns the oldest rows, in the order of the commits.
func (s *Store) outbox(ctx context.Context, limit int) (rows []outboxRow, err error) {
	err = s.read(ctx, func(q querier) error {
		return q.each(ctx, func(row scanner) error {
			var r outboxRow
			var event string
			if err := row.Scan(&r.id, &r.eventID, &event); err != nil {
				return err
			}
			err := json.Unmarshal([]byte(event), &r.change)
			rows = append(rows, r)
			return err
		}, `SELECT id, event_id, event FROM outbox ORDER BY id LIMIT ?`, limit)
	})
	if err != nil {
		return nil, fmt.Errorf("reading outbox: %w", err)
	}
	return rows, nil
}

// published deletes the rows up to and including id.
func (s *Store) published(ctx context.Context, id int64) error {
	if _, err := s.db.ExecContext(ctx, s.dialect.rebind(`DELETE FROM outbox WHERE id <= ?`), id); err != nil {
		return fmt.Errorf("clearing outbox: %w", err)
	}
	return nil
}

// current returns what the bucket is to hold for a document now.
func (s *Store) current(ctx context.Context, t target) (r record, exists bool, err error) {
	err = s.read(ctx, func(q querier) error {
		r, exists, err = q.record(ctx, t)
		return err
	})
	return r, exists, err
}
