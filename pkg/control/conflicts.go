package control

import (
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
)

// tenantConflicts looks for another tenant that has the name.
func (w *writer) tenantConflicts(ctx context.Context, doc config.Tenant) (config.Problems, error) {
	var other string
	_, taken, err := found(0, w.row(ctx, `SELECT id FROM tenants WHERE name_key = ? AND id <> ? AND deleted_at IS NULL`,
		config.NameKey(doc.Name), doc.ID).Scan(&other), tenantTarget(doc.ID))
	if err != nil || !taken {
		return nil, err
	}
	return config.Problems{{Path: "name", Message: "tenant " + other + " has this name"}}, nil
}

// mailboxConflicts checks a mailbox against the other documents.
func (w *writer) mailboxConflicts(ctx context.Context, doc config.Mailbox, tenant Tenant, exists bool) (config.Problems, error) {
	var problems config.Problems
	name := mailboxTarget(doc.Tenant, doc.ID)
	for i, id := range doc.Folders {
		_, exists, err := w.folder(ctx, doc.Tenant, id)
		if err != nil {
			return nil, err
		}
		if !exists {
			problems = append(problems, config.Problem{Path: fmt.Sprintf("folders[%d]", i), Message: "there is no folder " + id})
		}
	}
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
		count, err := w.countMailboxes(ctx, doc.Tenant)
		if err != nil {
			return nil, err
		}
		if count >= limit {
			problems = append(problems, config.Problem{Message: fmt.Sprintf("the tenant has %[2]d mailboxes, and the limit is %[1]d; the landlord sets it", limit, count)})
		}
	}
	return problems, nil
}

// prerequisites names everything that a mailbox lacks to be enabled.
func prerequisites(t Tenant, m Mailbox) config.Problems {
	var missing config.Problems
	if t.KeyID == "" {
		missing = append(missing, config.Problem{Path: "encryption_key", Message: "the tenant has no Tenant Encryption Key (the landlord sets it in the Tenant Parameters), without which the mailbox cannot be enabled"})
	}
	if !m.HasPassword {
		missing = append(missing, config.Problem{Path: "password", Message: "the Password is not set, without which the mailbox cannot be enabled"})
	}
	return append(missing, config.MissingToEnable(m.Document)...)
}
