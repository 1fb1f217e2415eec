package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/mailyard/mailyard/pkg/secret"
)

const (
	// reencryptBatch is how many passwords are encrypted anew in one transaction:
	// other writers wait for it.
	reencryptBatch = 200
	// maxUnreadable is how many mailboxes are named whose password does not open.
	maxUnreadable = 20
)

// rotator is who the audit names for what happens by itself.
var rotator = Actor{Name: "key rotation"}

// A sealed is a mailbox's password as it is stored.
type sealed struct {
	mailbox  string
	password []byte
	deleted  bool
}

// outdated returns passwords that the tenant's newest key did not seal, of
// mailboxes behind the given one, in the order of their ids. Deleted mailboxes
// too: their mail in flight is still disposed of.
func (q querier) outdated(ctx context.Context, t Tenant, behind string, limit int) (list []sealed, err error) {
	newest, err := secret.Prefix(t.KeyID)
	if err != nil {
		return nil, err
	}
	err = q.each(ctx, func(row scanner) error {
		var s sealed
		var deleted sql.NullString
		err := row.Scan(&s.mailbox, &s.password, &deleted)
		s.deleted = deleted.Valid
		list = append(list, s)
		return err
	}, `SELECT id, password, deleted_at FROM mailboxes WHERE tenant = ? AND id > ? AND password IS NOT NULL AND substr(password, 1, 5) <> ? ORDER BY id LIMIT ?`,
		t.Document.ID, behind, newest, limit)
	if err != nil {
		return nil, fmt.Errorf("reading passwords of %s: %w", tenantTarget(t.Document.ID), err)
	}
	return list, nil
}

// rotating changes a tenant whose key is being rotated; one that was deleted in
// the meantime, or whose rotation has ended, is left alone.
func (s *Store) rotating(ctx context.Context, tenant string, change func(*writer, Tenant) error) error {
	if s.master == nil {
		return ErrNoMasterKey
	}
	return s.write(ctx, rotator, func(w *writer) error {
		t, exists, err := w.tenant(ctx, tenant)
		if err != nil || !exists || t.Rotation == nil {
			return err
		}
		return change(w, t)
	})
}

// reencrypt encrypts one batch anew and returns the last mailbox that it looked
// at, "" when there was none left, and the mailboxes whose password does not open.
func (s *Store) reencrypt(ctx context.Context, tenant, behind string) (last string, unreadable []string, err error) {
	err = s.rotating(ctx, tenant, func(w *writer, t Tenant) error {
		batch, err := w.outdated(ctx, t, behind, reencryptBatch)
		if err != nil || len(batch) == 0 {
			return err
		}
		key, err := w.key(t)
		if err != nil {
			return err
		}
		update, err := w.PrepareContext(ctx, w.dialect.rebind(`UPDATE mailboxes SET password = ?, password_revision = ? WHERE tenant = ? AND id = ?`))
		if err != nil {
			return fmt.Errorf("writing passwords of %s: %w", tenantTarget(tenant), err)
		}
		defer update.Close() // the transaction's end closes it in any case
		var published []target
		for _, m := range batch {
			err := w.reencrypt(ctx, update, key, tenant, m)
			switch {
			case errors.Is(err, secret.ErrUndecryptable):
				unreadable = append(unreadable, m.mailbox)
			case err != nil:
				return err
			default:
				published = append(published, mailboxTarget(tenant, m.mailbox))
			}
		}
		last = batch[len(batch)-1].mailbox
		return w.republish(ctx, published)
	})
	return last, unreadable, err
}

func (w *writer) reencrypt(ctx context.Context, update *sql.Stmt, key *secret.TenantKey, tenant string, m sealed) error {
	var fresh []byte
	password, err := key.Open(tenant, m.mailbox, m.password)
	switch {
	case err == nil:
		if fresh, err = key.Seal(tenant, m.mailbox, password); err != nil {
			return err
		}
	case !m.deleted || !errors.Is(err, secret.ErrUndecryptable):
		return err
	} // of a deleted mailbox nobody could set it again: it goes
	if _, err = update.ExecContext(ctx, fresh, w.revision, tenant, m.mailbox); err != nil {
		return fmt.Errorf("writing %s: %w", mailboxTarget(tenant, m.mailbox), err)
	}
	return nil
}

// reportUnreadable keeps the names of the mailboxes that a rotation waits for.
// It reports whether they are others than before.
func (s *Store) reportUnreadable(ctx context.Context, tenant string, mailboxes []string) (news bool, err error) {
	mailboxes = mailboxes[:min(len(mailboxes), maxUnreadable)]
	err = s.rotating(ctx, tenant, func(w *writer, t Tenant) error {
		if slices.Equal(t.Rotation.Unreadable, mailboxes) {
			return nil
		}
		news, t.Rotation.Unreadable = true, mailboxes
		w.changes++
		return w.saveTenant(ctx, t)
	})
	return news, err
}

// outboxState returns how many rows wait, and the id of the newest.
func (s *Store) outboxState(ctx context.Context) (waiting int, newest int64, err error) {
	err = s.read(ctx, func(q querier) error {
		return q.row(ctx, `SELECT count(*), coalesce(max(id), 0) FROM outbox`).Scan(&waiting, &newest)
	})
	if err != nil {
		return 0, 0, fmt.Errorf("reading outbox: %w", err)
	}
	return waiting, newest, nil
}

// errOutdated: there is something to encrypt anew after all.
var errOutdated = errors.New("a password is encrypted with an older version")

// endRotation destroys the old version, if nothing in the database is encrypted
// with it and the outbox was published up to and including the row: what the
// services have then is not encrypted with it either. It reports whether the
// rotation has ended.
func (s *Store) endRotation(ctx context.Context, tenant string, published int64) (ended bool, err error) {
	ended = true // also when it has ended, or its tenant was deleted, in the meantime
	err = s.rotating(ctx, tenant, func(w *writer, t Tenant) error {
		ended = false
		left, err := w.outdated(ctx, t, "", 1)
		if err != nil {
			return err
		}
		if len(left) > 0 {
			return errOutdated
		}
		var waiting int
		if err := w.row(ctx, `SELECT count(*) FROM outbox WHERE id <= ?`, published).Scan(&waiting); err != nil || waiting > 0 {
			return err
		}
		if t.wrappedKey, err = s.master.RetireTenantKeys(tenant, t.wrappedKey); err != nil {
			return err
		}
		if err := w.progress(ctx, &t); err != nil {
			return err
		}
		what := fmt.Sprintf("rotation to version %d ended: %d passwords are encrypted with it, version %d is destroyed", t.Rotation.To, t.Rotation.Total, t.Rotation.From)
		t.Rotation, ended = nil, true
		return w.saveRotation(ctx, &t, what)
	})
	return ended && err == nil, err
}
