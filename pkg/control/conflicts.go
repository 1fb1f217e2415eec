package control

import (
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
)

// mailboxConflicts checks a mailbox against the other documents.
func (w *writer) mailboxConflicts(ctx context.Context, doc config.Mailbox, tenant Tenant, exists bool) (config.Problems, error) {
	var problems config.Problems
	known := map[string]bool{}
	err := w.each(ctx, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		known[id] = true
		return err
	}, `SELECT id FROM folders WHERE tenant = ? AND deleted_at IS NULL`, doc.Tenant)
	if err != nil {
		return nil, fmt.Errorf("reading folders of tenant %s: %w", doc.Tenant, err)
	}
	for i, id := range doc.Folders {
		if !known[id] {
			problems = append(problems, config.Problem{Path: fmt.Sprintf("folders[%d]", i), Message: "there is no folder " + id})
		}
	}
	name := mailboxTarget(doc.Tenant, doc.ID)
	var other string
	_, taken, err := found(0, w.row(ctx, `SELECT id FROM mailboxes WHERE tenant = ? AND name_key = ? AND id <> ? AND deleted_at IS NULL`,
		doc.Tenant, config.NameKey(doc.Name), doc.ID).Scan(&other), name)
	if err != nil {
		return nil, err
	}
	if taken {
		problems = append(problems, config.Problem{Path: "name", Message: "mailbox " + other + " has this name"})
	}
	// Where it is in use is not said: it may be another tenant's.
	_, taken, err = found(0, w.row(ctx, `SELECT id FROM mailboxes WHERE username_key = ? AND NOT (tenant = ? AND id = ?) AND deleted_at IS NULL`,
		UsernameKey(doc.Username), doc.Tenant, doc.ID).Scan(&other), name)
	if err != nil {
		return nil, err
	}
	if taken {
		problems = append(problems, config.Problem{Path: "username", Message: doc.Username + " is in use"})
	}
	if limit := tenant.Document.Limits.Mailboxes; limit > 0 && !exists {
		var count int
		if err := w.row(ctx, `SELECT count(*) FROM mailboxes WHERE tenant = ? AND deleted_at IS NULL`, doc.Tenant).Scan(&count); err != nil {
			return nil, fmt.Errorf("counting mailboxes of tenant %s: %w", doc.Tenant, err)
		}
		if count >= limit {
			problems = append(problems, config.Problem{Message: fmt.Sprintf("the tenant may have %d mailboxes and has as many; the landlord sets the limit", limit)})
		}
	}
	return problems, nil
}

// prerequisites names what a mailbox lacks to be enabled.
func prerequisites(t Tenant, m Mailbox) config.Problems {
	var missing config.Problems
	need := func(ok bool, path, message string) {
		if !ok {
			missing = append(missing, config.Problem{Path: path, Message: message + ", without which the mailbox cannot be enabled"})
		}
	}
	need(t.KeyID != "", "encryption_key", "the tenant has no Tenant Encryption Key (the landlord sets it in the Tenant Parameters)")
	need(m.HasPassword, "password", "the Password is not set")
	need(m.Document.IMAP.Host != "", "imap.host", "the IMAP address is not set")
	need(m.Document.Username != "", "username", "the Username is not set")
	need(len(m.Document.Folders) > 0, "folders", "no folder is chosen")
	return missing
}
