package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
)

// What of a document is wrong by itself is not compared with the others: the
// database need not take it.

// tenantConflicts looks for another tenant that has the name, and for one that
// had the id.
func (q querier) tenantConflicts(ctx context.Context, doc config.Tenant, exists bool, known config.Problems) (config.Problems, error) {
	var problems config.Problems
	if !exists && !known.Covers("id") {
		gone, err := q.tenantGone(ctx, doc.ID)
		if err != nil {
			return nil, err
		}
		if gone {
			problems = append(problems, config.Problem{Path: "id", Message: doc.ID + " was the id of a tenant that was deleted, whose mails and audit are kept under it; choose another id"})
		}
	}
	if known.Covers("name") {
		return problems, nil
	}
	var other string
	_, taken, err := found(0, q.row(ctx, `SELECT id FROM tenants WHERE name_key = ? AND id <> ? AND deleted_at IS NULL`,
		config.NameKey(doc.Name), otherThan(doc.ID)).Scan(&other), tenantTarget(doc.ID))
	if err != nil {
		return nil, err
	}
	if taken {
		problems = append(problems, config.Problem{Path: "name", Message: "tenant " + other + " has this name"})
	}
	return problems, nil
}

// otherThan is the id that a document of the name may have; what is no id is
// nobody's.
func otherThan(id string) string {
	if config.IsSlug(id) {
		return id
	}
	return ""
}

// unconfigured finds a messaging database that the deployment does not have.
func (s *Store) unconfigured(doc config.Tenant) config.Problems {
	if len(s.databases) == 0 || slices.Contains(s.databases, doc.MessagingDatabase) {
		return nil
	}
	return config.Problems{{Path: "messaging_database", Message: fmt.Sprintf("%s is not configured; there is %s", doc.MessagingDatabase, strings.Join(s.databases, ", "))}}
}

// mailboxConflicts checks a mailbox against the other documents.
func (q querier) mailboxConflicts(ctx context.Context, at mailboxSite, doc config.Mailbox, known config.Problems) (config.Problems, error) {
	var problems config.Problems
	name := mailboxTarget(doc.Tenant, doc.ID)
	for i, id := range doc.Folders {
		path := fmt.Sprintf("folders[%d]", i)
		if known.Covers(path) {
			continue
		}
		_, exists, err := q.folder(ctx, doc.Tenant, id)
		if err != nil {
			return nil, err
		}
		if !exists {
			problems = append(problems, config.Problem{Path: path, Message: "there is no folder " + id})
		}
	}
	var other string
	if !known.Covers("name") {
		_, taken, err := found(0, q.row(ctx, `SELECT id FROM mailboxes WHERE tenant = ? AND name_key = ? AND id <> ? AND deleted_at IS NULL`,
			doc.Tenant, config.NameKey(doc.Name), otherThan(doc.ID)).Scan(&other), name)
		if err != nil {
			return nil, err
		}
		if taken {
			problems = append(problems, config.Problem{Path: "name", Message: "mailbox " + other + " has this name"})
		}
	}
	// Where it is in use is not said: it may be another tenant's.
	if !known.Covers("username") {
		_, taken, err := found(0, q.row(ctx, `SELECT id FROM mailboxes WHERE username_key = ? AND NOT (tenant = ? AND id = ?) AND deleted_at IS NULL`,
			UsernameKey(doc.Username), doc.Tenant, otherThan(doc.ID)).Scan(&other), name)
		if err != nil {
			return nil, err
		}
		if taken {
			problems = append(problems, config.Problem{Path: "username", Message: doc.Username + " is in use"})
		}
	}
	if limit := at.tenant.Document.Limits.Mailboxes; limit > 0 && !at.exists {
		count, err := q.countMailboxes(ctx, doc.Tenant)
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
func prerequisites(t Tenant, doc config.Mailbox, password bool) config.Problems {
	var missing config.Problems
	if t.KeyID == "" {
		missing = append(missing, config.Problem{Path: "encryption_key", Message: "the tenant has no Tenant Encryption Key (the landlord sets it in the Tenant Parameters), without which the mailbox cannot be enabled"})
	}
	if !password {
		missing = append(missing, config.Problem{Path: "password", Message: "the Password is not set, without which the mailbox cannot be enabled"})
	}
	return append(missing, config.MissingToEnable(doc)...)
}
