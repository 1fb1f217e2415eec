package control

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
)

// A Mailbox is a mailbox as it is stored. The password is never handed out.
type Mailbox struct {
	Document    config.Mailbox
	Revision    int64
	HasPassword bool
	EnabledAt   *time.Time // import_since new counts from here; nil: never enabled
	CreatedAt   time.Time
	UpdatedAt   time.Time

	password         []byte // sealed
	passwordRevision int64  // of its re-encryption, which leaves Revision alone
	deletedAt        *time.Time
}

const mailboxColumns = `document, revision, password, password_revision, enabled_at, created_at, updated_at, deleted_at`

func scanMailbox(row scanner) (m Mailbox, err error) {
	var document, created, updated string
	var enabled, deleted sql.NullString
	if err := row.Scan(&document, &m.Revision, &m.password, &m.passwordRevision, &enabled, &created, &updated, &deleted); err != nil {
		return m, err
	}
	m.HasPassword = len(m.password) > 0
	if m.EnabledAt, err = parseOptional(enabled); err != nil {
		return m, err
	}
	return m, decodeRow(document, &m.Document, created, &m.CreatedAt, updated, &m.UpdatedAt, deleted, &m.deletedAt)
}

// mailbox returns a mailbox that is not deleted.
func (q querier) mailbox(ctx context.Context, tenant, id string) (Mailbox, bool, error) {
	if !mailboxTarget(tenant, id).named() {
		return Mailbox{}, false, nil
	}
	m, err := scanMailbox(q.row(ctx, `SELECT `+mailboxColumns+` FROM mailboxes WHERE tenant = ? AND id = ? AND deleted_at IS NULL`, tenant, id))
	return found(m, err, mailboxTarget(tenant, id))
}

// mailboxes returns those of a tenant, or of all, that are not deleted.
func (q querier) mailboxes(ctx context.Context, tenant string) ([]Mailbox, error) {
	if !allOrOne(tenant) {
		return nil, nil
	}
	ofTenant, args := matching("tenant", tenant)
	return q.selectMailboxes(ctx, `WHERE deleted_at IS NULL`+ofTenant+` ORDER BY tenant, id`, args...)
}

// mailboxesOf returns those that use a folder.
func (q querier) mailboxesOf(ctx context.Context, tenant, folder string) ([]Mailbox, error) {
	return q.selectMailboxes(ctx, `WHERE tenant = ? AND deleted_at IS NULL
		AND id IN (SELECT mailbox FROM mailbox_folders WHERE tenant = ? AND folder = ?) ORDER BY id`, tenant, tenant, folder)
}

func (q querier) selectMailboxes(ctx context.Context, where string, args ...any) (list []Mailbox, err error) {
	err = q.each(ctx, func(row scanner) error {
		m, err := scanMailbox(row)
		list = append(list, m)
		return err
	}, `SELECT `+mailboxColumns+` FROM mailboxes `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("listing mailboxes: %w", err)
	}
	return list, nil
}

// GetMailbox returns a mailbox.
func (s *Store) GetMailbox(ctx context.Context, actor Actor, tenant, id string) (m Mailbox, err error) {
	if err := actor.mayRead(tenant); err != nil {
		return m, err
	}
	err = s.read(ctx, func(q querier) error {
		var ok bool
		if m, ok, err = q.mailbox(ctx, tenant, id); err == nil && !ok {
			err = fmt.Errorf("reading %s: %w", mailboxTarget(tenant, id), ErrNotFound)
		}
		return err
	})
	return m, err
}

// ListMailboxes returns a tenant's mailboxes, ordered by id; those of all
// tenants, ordered by tenant and id, if tenant is empty and the actor may see them.
func (s *Store) ListMailboxes(ctx context.Context, actor Actor, tenant string) (list []Mailbox, err error) {
	if err := actor.mayRead(tenant); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(q querier) error {
		list, err = q.mailboxes(ctx, tenant)
		return err
	})
	return list, err
}

// CountMailboxes returns how many mailboxes a tenant has; all tenants together
// if tenant is empty and the actor may see them.
func (s *Store) CountMailboxes(ctx context.Context, actor Actor, tenant string) (n int, err error) {
	if err := actor.mayRead(tenant); err != nil {
		return 0, err
	}
	err = s.read(ctx, func(q querier) error {
		n, err = q.countMailboxes(ctx, tenant)
		return err
	})
	return n, err
}

func (q querier) countMailboxes(ctx context.Context, tenant string) (n int, err error) {
	if !allOrOne(tenant) {
		return 0, nil
	}
	ofTenant, args := matching("tenant", tenant)
	err = q.row(ctx, `SELECT count(*) FROM mailboxes WHERE deleted_at IS NULL`+ofTenant, args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting mailboxes: %w", err)
	}
	return n, nil
}

// saveMailbox writes the row, over that of a deleted mailbox too.
func (w *writer) saveMailbox(ctx context.Context, m Mailbox) error {
	name := mailboxTarget(m.Document.Tenant, m.Document.ID)
	document, err := json.Marshal(m.Document)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	username := UsernameKey(m.Document.Username)
	_, err = w.exec(ctx, `INSERT INTO mailboxes (tenant, id, name_key, username_key, `+mailboxColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant, id) DO UPDATE SET name_key = excluded.name_key, username_key = excluded.username_key, document = excluded.document,
			revision = excluded.revision, password = excluded.password, password_revision = excluded.password_revision, enabled_at = excluded.enabled_at, created_at = excluded.created_at,
			updated_at = excluded.updated_at, deleted_at = excluded.deleted_at`,
		name.tenant, name.id, config.NameKey(m.Document.Name), sql.NullString{String: username, Valid: username != ""},
		string(document), m.Revision, m.password, m.passwordRevision, formatOptional(m.EnabledAt), formatTime(m.CreatedAt), formatTime(m.UpdatedAt), formatOptional(m.deletedAt))
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if _, err := w.exec(ctx, `DELETE FROM mailbox_folders WHERE tenant = ? AND mailbox = ?`, name.tenant, name.id); err != nil {
		return fmt.Errorf("writing folders of %s: %w", name, err)
	}
	if m.deletedAt != nil {
		return nil
	}
	for _, f := range m.Document.Folders {
		if _, err := w.exec(ctx, `INSERT INTO mailbox_folders (tenant, mailbox, folder) VALUES (?, ?, ?)`, name.tenant, name.id, f); err != nil {
			return fmt.Errorf("writing folders of %s: %w", name, err)
		}
	}
	return nil
}

// DeleteMailbox deletes a mailbox. Its name and username are free at once; the
// record, with its sealed password, stays for Retention, so that its mail in
// flight ends well.
func (s *Store) DeleteMailbox(ctx context.Context, actor Actor, tenant, id string, based int64) error {
	if err := actor.mayWrite(tenant); err != nil {
		return err
	}
	return s.write(ctx, actor, func(w *writer) error {
		m, exists, err := w.mailbox(ctx, tenant, id)
		if err != nil || !exists {
			return orNotFound(err, "deleting", mailboxTarget(tenant, id))
		}
		if err := mailboxTarget(tenant, id).checkRevision(based, exists, m.Revision); err != nil {
			return err
		}
		return w.deleteMailbox(ctx, m)
	})
}

func (w *writer) deleteMailbox(ctx context.Context, m Mailbox) error {
	before := m.Revision
	m.Revision, m.UpdatedAt, m.deletedAt = w.revision, w.at, &w.at
	if err := w.saveMailbox(ctx, m); err != nil {
		return err
	}
	return w.record(ctx, mailboxTarget(m.Document.Tenant, m.Document.ID), schemas.ChangeDeleted, before, nil)
}
