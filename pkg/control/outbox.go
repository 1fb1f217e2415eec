package control

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/nats-io/nuid"

	"github.com/mailyard/mailyard/schemas"
)

// An outboxRow is a committed change that is not yet published.
type outboxRow struct {
	id      int64
	eventID string
	change  schemas.ConfigChange
}

// silent reports whether only the record is published: see republish.
func (r outboxRow) silent() bool { return r.change.Change == "" }

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

// republish has the documents' records published without an event: what changed
// is only how a secret is encrypted.
func (w *writer) republish(ctx context.Context, targets []target) error {
	if len(targets) == 0 {
		return nil
	}
	w.changes += len(targets)
	var values []string
	var args []any
	for _, t := range targets {
		event, err := json.Marshal(schemas.ConfigChange{Kind: t.kind, Tenant: t.tenant, ID: t.id})
		if err != nil {
			return fmt.Errorf("having %s published: %w", t, err)
		}
		values, args = append(values, "(?, ?)"), append(args, nuid.Next(), string(event))
	}
	if _, err := w.exec(ctx, `INSERT INTO outbox (event_id, event) VALUES `+strings.Join(values, ", "), args...); err != nil {
		return fmt.Errorf("having %s and others published: %w", targets[0], err)
	}
	return nil
}

// A keyedRecord is a record with its key in the bucket.
type keyedRecord struct {
	key string
	record
}

// current returns what the bucket is to hold for the rows' documents, and for
// the tenants that they belong to, all at one moment: what others refer to by
// itself, and the mailboxes. What was purged is left out.
func (s *Store) current(ctx context.Context, rows []outboxRow) (referred, mailboxes []keyedRecord, err error) {
	seen := map[target]bool{}
	var tenants, folders, others []target
	add := func(list *[]target, t target) {
		if !seen[t] {
			seen[t] = true
			*list = append(*list, t)
		}
	}
	for _, row := range rows {
		add(&tenants, tenantTarget(row.change.Tenant))
		switch t := row.target(); t.kind {
		case schemas.KindFolder:
			add(&folders, t)
		case schemas.KindMailbox:
			add(&others, t)
		}
	}
	err = s.read(ctx, func(q querier) error {
		for _, t := range append(tenants, folders...) {
			r, exists, err := q.record(ctx, t)
			if err != nil {
				return err
			}
			if exists {
				referred = append(referred, keyedRecord{t.key(), r})
			}
		}
		mailboxes, err = q.mailboxRecords(ctx, others)
		return err
	})
	return referred, mailboxes, err
}

// mailboxRecords returns the records of mailboxes in one query: after a rotation
// or an Apply there are many.
func (q querier) mailboxRecords(ctx context.Context, targets []target) (list []keyedRecord, err error) {
	if len(targets) == 0 {
		return nil, nil
	}
	var args []any
	for _, t := range targets {
		args = append(args, t.tenant, t.id)
	}
	err = q.each(ctx, func(row scanner) error {
		key, revision, document, err := mailboxRecord(row)
		if err != nil {
			return err
		}
		value, err := json.Marshal(document)
		list = append(list, keyedRecord{key, record{revision, value}})
		return err
	}, `SELECT `+mailboxColumns+` FROM mailboxes WHERE (tenant, id) IN (VALUES `+strings.Repeat("(?, ?), ", len(targets)-1)+`(?, ?))`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading mailboxes: %w", err)
	}
	return list, nil
}
