package control

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	schema "github.com/mailyard/mailyard/schemas/config"
)

// PutMailbox creates or replaces a mailbox; see PutTenant for based. The
// password stays as it is; if the document would send it elsewhere
// (config.NewDestination), the change is refused with a problem of "password".
func (s *Store) PutMailbox(ctx context.Context, actor Actor, doc config.Mailbox, based int64) (Mailbox, error) {
	return s.putMailbox(ctx, actor, mailboxChange{document: doc, based: based})
}

// PutMailboxWithPassword creates or replaces a mailbox and sets its password,
// in one transaction, so that it can be enabled in the same step.
func (s *Store) PutMailboxWithPassword(ctx context.Context, actor Actor, doc config.Mailbox, password secret.String, based int64) (Mailbox, error) {
	return s.putMailbox(ctx, actor, mailboxChange{document: doc, password: &password, based: based})
}

// SetPassword sets a mailbox's password. It is ErrNoTenantKey if the tenant has
// no Tenant Encryption Key.
func (s *Store) SetPassword(ctx context.Context, actor Actor, tenant, id string, password secret.String, based int64) (Mailbox, error) {
	return s.changeMailbox(ctx, actor, tenant, id, func(w *writer, m Mailbox) (mailboxChange, error) {
		return mailboxChange{document: m.Document, password: &password, based: based}, nil
	})
}

// Enable lets the pipeline work on a mailbox. While a prerequisite is missing
// it is refused with config.Problems that name each.
func (s *Store) Enable(ctx context.Context, actor Actor, tenant, id string, based int64) (Mailbox, error) {
	return s.setEnabled(ctx, actor, tenant, id, based, true)
}

// Disable takes a mailbox out of the pipeline.
func (s *Store) Disable(ctx context.Context, actor Actor, tenant, id string, based int64) (Mailbox, error) {
	return s.setEnabled(ctx, actor, tenant, id, based, false)
}

func (s *Store) setEnabled(ctx context.Context, actor Actor, tenant, id string, based int64, enabled bool) (Mailbox, error) {
	return s.changeMailbox(ctx, actor, tenant, id, func(_ *writer, m Mailbox) (mailboxChange, error) {
		m.Document.Enabled = enabled
		return mailboxChange{document: m.Document, based: based}, nil
	})
}

func (s *Store) changeMailbox(ctx context.Context, actor Actor, tenant, id string, change func(*writer, Mailbox) (mailboxChange, error)) (m Mailbox, err error) {
	if err := actor.mayWrite(tenant); err != nil {
		return m, err
	}
	err = s.write(ctx, actor, func(w *writer) error {
		before, exists, err := w.mailbox(ctx, tenant, id)
		if err != nil || !exists {
			return orNotFound(err, "changing", mailboxTarget(tenant, id))
		}
		c, err := change(w, before)
		if err != nil {
			return err
		}
		m, _, err = w.putMailbox(ctx, c)
		return err
	})
	return m, err
}

func (s *Store) putMailbox(ctx context.Context, actor Actor, c mailboxChange) (m Mailbox, err error) {
	if err := actor.mayWrite(c.document.Tenant); err != nil {
		return m, err
	}
	err = s.write(ctx, actor, func(w *writer) error {
		m, _, err = w.putMailbox(ctx, c)
		return err
	})
	return m, err
}

type mailboxChange struct {
	document config.Mailbox
	password *secret.String // nil: stays
	based    int64
}

func (w *writer) putMailbox(ctx context.Context, c mailboxChange) (Mailbox, []FieldChange, error) {
	doc := c.document
	if doc.Folders == nil {
		doc.Folders = []string{}
	}
	name := mailboxTarget(doc.Tenant, doc.ID)
	// What it lacks to be enabled is said together with what stands elsewhere.
	plain := doc
	plain.Enabled = false
	known := config.ValidateMailbox(plain)
	if c.password != nil {
		if err := config.CheckPassword(*c.password); err != nil {
			known = append(known, config.Problem{Path: "password", Message: err.Error()})
		}
	}
	at, problems, err := w.checkMailbox(ctx, c, known)
	if err != nil {
		return at.before, nil, err
	}
	before := at.before
	if err := sooner(problems, known, c.based); err != nil {
		return before, nil, err
	}
	if at.tenant.Document.ID == "" {
		return before, nil, orNotFound(nil, "saving "+name.String(), tenantTarget(doc.Tenant))
	}
	if err := name.checkRevision(c.based, at.exists, before.Revision); err != nil {
		return before, nil, err
	}
	if err := problems.Err(); err != nil {
		return before, nil, err
	}
	after := Mailbox{
		Document: doc, Revision: w.revision, HasPassword: before.HasPassword, EnabledAt: before.EnabledAt,
		CreatedAt: before.CreatedAt, UpdatedAt: w.at, password: before.password, passwordRevision: before.passwordRevision,
	}
	if c.password != nil {
		if err := w.setPassword(at.tenant, &after, *c.password); err != nil {
			return before, nil, fmt.Errorf("setting password of %s: %w", name, err)
		}
	}
	return w.commitMailbox(ctx, name, before, after, at.exists)
}

// commitMailbox writes what is different, and nothing if nothing is.
func (w *writer) commitMailbox(ctx context.Context, name target, before, after Mailbox, exists bool) (Mailbox, []FieldChange, error) {
	var old any
	change := schemas.ChangeCreated
	if exists {
		old, change = before.Document, schemas.ChangeUpdated
	} else {
		after.CreatedAt = w.at
	}
	fields, err := Diff(old, after.Document)
	if err != nil {
		return before, nil, err
	}
	if string(before.password) != string(after.password) {
		fields = append(fields, happened("password", "changed"))
	}
	if len(fields) == 0 {
		return before, nil, nil
	}
	// Mail that arrives while the mailbox is disabled for a while is not lost to
	// import_since new: to enable it again does not count.
	first := after.Document.Enabled && after.EnabledAt == nil
	asked := after.EnabledAt != nil && after.Document.ImportSince == schema.ImportNew && before.Document.ImportSince != schema.ImportNew
	if first || asked {
		after.EnabledAt = &w.at
	}
	if err := w.saveMailbox(ctx, after); err != nil {
		return before, nil, err
	}
	return after, fields, w.record(ctx, name, change, before.Revision, fields)
}

// setPassword seals the password, unless it is the one that is sealed already.
func (w *writer) setPassword(t Tenant, m *Mailbox, password secret.String) error {
	key, err := w.key(t)
	if err != nil {
		return err
	}
	if m.HasPassword {
		// One that cannot be opened is replaced: that is how it is mended.
		stored, err := key.Open(t.Document.ID, m.Document.ID, m.password)
		if err == nil && stored.Equal(password) {
			return nil
		}
		if err != nil && !errors.Is(err, secret.ErrUndecryptable) {
			return err
		}
	}
	m.password, err = key.Seal(t.Document.ID, m.Document.ID, password)
	m.HasPassword = true
	return err
}
