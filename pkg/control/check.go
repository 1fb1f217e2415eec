package control

import (
	"context"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/secret"
)

// CheckMailbox returns everything for which PutMailbox, or with a password
// PutMailboxWithPassword, would refuse a mailbox now, and stores nothing. It
// begins with known: what is wrong with the document by itself.
func (s *Store) CheckMailbox(ctx context.Context, actor Actor, doc config.Mailbox, password *secret.String, based int64, known config.Problems) (problems config.Problems, err error) {
	if err := actor.mayWrite(doc.Tenant); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(q querier) error {
		_, problems, err = q.checkMailbox(ctx, mailboxChange{document: doc, password: password, based: based}, known)
		return err
	})
	return problems, err
}

// CheckFolder is to PutFolder what CheckMailbox is to PutMailbox.
func (s *Store) CheckFolder(ctx context.Context, actor Actor, doc config.Folder, based int64, known config.Problems) (problems config.Problems, err error) {
	if err := actor.mayWrite(doc.Tenant); err != nil {
		return nil, err
	}
	err = s.read(ctx, func(q querier) error {
		_, _, problems, err = q.checkFolder(ctx, doc, based, known)
		return err
	})
	return problems, err
}

// CheckTenant is to PutTenant what CheckMailbox is to PutMailbox.
func (s *Store) CheckTenant(ctx context.Context, actor Actor, doc config.Tenant, based int64, known config.Problems) (problems config.Problems, err error) {
	if err := actor.mayRule(doc.ID); err != nil {
		return nil, err
	}
	known = append(known, s.unconfigured(doc).Without(known)...)
	err = s.read(ctx, func(q querier) error {
		_, _, problems, err = q.checkTenant(ctx, doc, based, known)
		return err
	})
	return problems, err
}

// A mailboxSite is what a change of a mailbox meets.
type mailboxSite struct {
	tenant Tenant // zero: there is none
	before Mailbox
	exists bool
}

// checkMailbox adds to known what else is wrong with a change of a mailbox.
func (q querier) checkMailbox(ctx context.Context, c mailboxChange, known config.Problems) (mailboxSite, config.Problems, error) {
	var at mailboxSite
	var there bool
	var err error
	doc := c.document
	if at.tenant, there, err = q.tenant(ctx, doc.Tenant); err != nil || !there {
		return at, known, err
	}
	if at.before, at.exists, err = q.mailbox(ctx, doc.Tenant, doc.ID); err != nil || known.Covers("") {
		return at, known, err
	}
	more, err := q.mailboxConflicts(ctx, at, doc, known)
	if err != nil {
		return at, nil, err
	}
	before := at.before
	if c.based == IfNew {
		before = Mailbox{} // it is not this one that changes
	}
	if c.password == nil {
		more = append(more, reentry(before, doc)...)
	}
	if doc.Enabled {
		more = append(more, prerequisites(at.tenant, doc, before.HasPassword || c.password != nil)...)
	}
	problems := append(known, more.Without(known)...)
	// Alone, this is ErrNoTenantKey.
	if c.password != nil && at.tenant.KeyID == "" && len(problems) > 0 && !problems.Covers("password") && !problems.Covers("encryption_key") {
		problems = append(problems, config.Problem{Path: "password", Message: ErrNoTenantKey.Error()})
	}
	return at, mailboxTarget(doc.Tenant, doc.ID).checkNew(c.based, at.exists, problems), nil
}

// checkFolder adds to known what else is wrong with a change of a folder.
func (q querier) checkFolder(ctx context.Context, doc config.Folder, based int64, known config.Problems) (before Folder, exists bool, problems config.Problems, err error) {
	if before, exists, err = q.folder(ctx, doc.Tenant, doc.ID); err != nil || known.Covers("") {
		return before, exists, known, err
	}
	more, err := q.folderConflicts(ctx, doc, known)
	return before, exists, folderTarget(doc.Tenant, doc.ID).checkNew(based, exists, append(known, more...)), err
}

// checkTenant adds to known what else is wrong with a change of a tenant.
func (q querier) checkTenant(ctx context.Context, doc config.Tenant, based int64, known config.Problems) (before Tenant, exists bool, problems config.Problems, err error) {
	if before, exists, err = q.tenant(ctx, doc.ID); err != nil || known.Covers("") {
		return before, exists, known, err
	}
	more, err := q.tenantConflicts(ctx, doc, exists, known)
	return before, exists, tenantTarget(doc.ID).checkNew(based, exists, append(known, more...)), err
}

// sooner returns the problems that are told before the revision is compared:
// those of a document that is wrong by itself, whoever changed it meanwhile, and
// those of one that was to be new.
func sooner(problems, known config.Problems, based int64) error {
	if len(known) > 0 || based == IfNew {
		return problems.Err()
	}
	return nil
}

// checkNew adds to other problems that an id is taken which was to be new.
// Alone, that is ErrExists.
func (t target) checkNew(based int64, exists bool, problems config.Problems) config.Problems {
	if based != IfNew || !exists || len(problems) == 0 {
		return problems
	}
	return append(problems, config.Problem{Path: "id", Message: string(t.kind) + " " + t.id + " exists already; choose another id"})
}
