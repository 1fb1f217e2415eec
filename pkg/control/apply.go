package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

// A Plan is what an Apply does, or did, in the order in which it does it.
type Plan struct {
	Changes []Change `json:"changes"`
}

// An Action is what becomes of a document in a Plan.
type Action string

// The actions.
const (
	ActionCreate    Action = "create"
	ActionUpdate    Action = "update"
	ActionUnchanged Action = "unchanged"
)

// A Change is the part of a Plan that is about one document.
type Change struct {
	Kind   schemas.Kind `json:"kind"`
	Tenant string       `json:"tenant"`
	ID     string       `json:"id"`
	Action Action       `json:"action"`
	Fields []string     `json:"fields,omitempty"` // paths of what is changed, of an update
}

// Empty reports whether nothing changes.
func (p Plan) Empty() bool {
	return !slices.ContainsFunc(p.Changes, func(c Change) bool { return c.Action != ActionUnchanged })
}

// errRollback ends a transaction whose outcome was only to be seen.
var errRollback = errors.New("only a trial")

// Apply makes the documents so, all of them or none: tenants first, then
// folders, then mailboxes, whatever their order. Documents are whole: a key that
// is absent takes its default. What is so already is left alone. Passwords have
// to be resolved (config.ResolvePasswords); one that equals the stored one is no
// change, and one that is left out stays, as PutMailbox says. A trial run tells what would be done, and finds the same problems.
//
// Documents that are not named stay. All problems are returned at once, as
// config.Problems with the documents' files and lines.
func (s *Store) Apply(ctx context.Context, actor Actor, docs []config.Document, dryRun bool) (Plan, error) {
	for _, d := range docs {
		if err := actor.mayApply(d); err != nil {
			return Plan{}, err
		}
	}
	order := map[schemas.Kind]int{schemas.KindTenant: 1, schemas.KindFolder: 2, schemas.KindMailbox: 3}
	docs = slices.Clone(docs)
	slices.SortStableFunc(docs, func(a, b config.Document) int { return cmp.Compare(order[a.Kind], order[b.Kind]) })

	var plan Plan
	err := s.write(ctx, actor, func(w *writer) error {
		if err := w.releaseKeys(ctx, docs); err != nil {
			return err
		}
		var problems config.Problems
		for _, d := range docs {
			change, err := w.apply(ctx, d)
			var found config.Problems
			switch {
			case errors.As(err, &found):
				problems = append(problems, d.Locate(found)...)
			case err != nil:
				return err
			}
			plan.Changes = append(plan.Changes, change)
		}
		if len(problems) > 0 {
			return problems
		}
		if dryRun {
			return errRollback
		}
		return nil
	})
	if err != nil && !errors.Is(err, errRollback) {
		return Plan{}, err
	}
	return plan, nil
}

func (a Actor) mayApply(d config.Document) error {
	if d.Kind == schemas.KindTenant {
		return a.mayRule(d.Tenant)
	}
	return a.mayWrite(d.Tenant)
}

func (w *writer) apply(ctx context.Context, d config.Document) (Change, error) {
	change := Change{Kind: d.Kind, Tenant: d.Tenant, ID: d.ID}
	var fields []FieldChange
	var exists bool
	var err error
	switch d.Kind {
	case schemas.KindTenant:
		fields, exists, err = w.applyTenant(ctx, d)
	case schemas.KindFolder:
		fields, exists, err = w.applyFolder(ctx, d)
	case schemas.KindMailbox:
		fields, exists, err = w.applyMailbox(ctx, d)
	default:
		err = config.Problems{{Path: "kind", Message: "is not one of tenant, folder, mailbox"}}
	}
	if errors.Is(err, ErrNotFound) { // the tenant
		err = config.Problems{{Path: "tenant", Message: "there is no tenant " + idText(d.Tenant)}}
	}
	switch {
	case !exists:
		change.Action = ActionCreate
	case len(fields) > 0:
		change.Action, change.Fields = ActionUpdate, paths(fields)
	default:
		change.Action = ActionUnchanged
	}
	return change, err
}

// mismatch finds a document that is not the one that it was authorised as.
func mismatch(d config.Document, tenant, id string) config.Problems {
	if d.Tenant == tenant && d.ID == id {
		return nil
	}
	return config.Problems{{Path: "id", Message: fmt.Sprintf("is not that of %s", target{d.Kind, d.Tenant, d.ID})}}
}

func (w *writer) applyTenant(ctx context.Context, d config.Document) ([]FieldChange, bool, error) {
	doc, problems := d.TenantDocument()
	if err := append(problems, mismatch(d, doc.ID, doc.ID)...).Err(); err != nil {
		return nil, false, err
	}
	_, exists, err := w.tenant(ctx, doc.ID)
	if err != nil {
		return nil, exists, err
	}
	t, fields, err := w.putTenant(ctx, doc, 0)
	if err != nil || !d.GenerateKey || t.KeyID != "" {
		return fields, exists, err
	}
	if w.store.master == nil {
		return fields, exists, config.Problems{{Path: "encryption_key", Message: ErrNoMasterKey.Error()}}
	}
	_, err = w.newKey(ctx, t, "generated", w.store.master.NewTenantKey)
	return append(fields, happened("encryption_key", "generated")), exists, err
}

func (w *writer) applyFolder(ctx context.Context, d config.Document) ([]FieldChange, bool, error) {
	doc, problems := d.FolderDocument()
	if err := append(problems, mismatch(d, doc.Tenant, doc.ID)...).Err(); err != nil {
		return nil, false, err
	}
	_, exists, err := w.folder(ctx, doc.Tenant, doc.ID)
	if err != nil {
		return nil, exists, err
	}
	_, fields, err := w.putFolder(ctx, doc, 0)
	return fields, exists, err
}

func (w *writer) applyMailbox(ctx context.Context, d config.Document) ([]FieldChange, bool, error) {
	doc, problems := d.MailboxDocument()
	if err := append(problems, mismatch(d, doc.Tenant, doc.ID)...).Err(); err != nil {
		return nil, false, err
	}
	var password *secret.String
	if d.Password != nil {
		if d.Password.Env != "" || d.Password.File != "" {
			return nil, false, config.Problems{{Path: "password", Message: "stands elsewhere and was not read"}}
		}
		password = &d.Password.Plain
	}
	_, exists, err := w.mailbox(ctx, doc.Tenant, doc.ID)
	if err != nil {
		return nil, exists, err
	}
	_, fields, err := w.putMailbox(ctx, mailboxChange{document: doc, password: password})
	if errors.Is(err, ErrNoTenantKey) || errors.Is(err, ErrNoMasterKey) || errors.Is(err, secret.ErrUndecryptable) {
		err = config.Problems{{Path: "password", Message: err.Error()}}
	}
	return fields, exists, err
}

// releaseKeys frees the names, addresses and usernames of the documents that
// are about to change, so that they can swap them. Each takes its own again
// when it is written; what is refused is rolled back with all the rest.
func (w *writer) releaseKeys(ctx context.Context, docs []config.Document) error {
	for _, d := range docs {
		var err error
		switch d.Kind {
		case schemas.KindTenant:
			err = w.releaseTenant(ctx, d)
		case schemas.KindFolder:
			err = w.releaseFolder(ctx, d)
		case schemas.KindMailbox:
			err = w.releaseMailbox(ctx, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) releaseTenant(ctx context.Context, d config.Document) error {
	doc, problems := d.TenantDocument()
	t, exists, err := w.tenant(ctx, d.ID)
	if err != nil || !exists || len(problems) > 0 || t.Document == doc {
		return err
	}
	// No name begins with a space, so this one is nobody's.
	if _, err := w.exec(ctx, `UPDATE tenants SET name_key = ? WHERE id = ?`, " "+d.ID, d.ID); err != nil {
		return fmt.Errorf("writing %s: %w", tenantTarget(d.ID), err)
	}
	return nil
}

func (w *writer) releaseFolder(ctx context.Context, d config.Document) error {
	name := folderTarget(d.Tenant, d.ID)
	doc, problems := d.FolderDocument()
	f, exists, err := w.folder(ctx, d.Tenant, d.ID)
	if err != nil || !exists || len(problems) > 0 {
		return err
	}
	if same, err := Diff(f.Document, doc); err != nil || len(same) == 0 {
		return err
	}
	if err := w.freeAddresses(ctx, name); err != nil {
		return err
	}
	if _, err := w.exec(ctx, `UPDATE folders SET name_key = ? WHERE tenant = ? AND id = ?`, " "+d.ID, d.Tenant, d.ID); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

func (w *writer) releaseMailbox(ctx context.Context, d config.Document) error {
	doc, problems := d.MailboxDocument()
	m, exists, err := w.mailbox(ctx, d.Tenant, d.ID)
	if err != nil || !exists || len(problems) > 0 {
		return err
	}
	if same, err := Diff(m.Document, doc); err != nil || len(same) == 0 {
		return err
	}
	if _, err := w.exec(ctx, `UPDATE mailboxes SET name_key = ?, username_key = NULL WHERE tenant = ? AND id = ?`, " "+d.ID, d.Tenant, d.ID); err != nil {
		return fmt.Errorf("writing %s: %w", mailboxTarget(d.Tenant, d.ID), err)
	}
	return nil
}
