package control

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/nats-io/nuid"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
)

// A target names a document.
type target struct {
	kind       schemas.Kind
	tenant, id string
}

func tenantTarget(id string) target          { return target{schemas.KindTenant, id, id} }
func folderTarget(tenant, id string) target  { return target{schemas.KindFolder, tenant, id} }
func mailboxTarget(tenant, id string) target { return target{schemas.KindMailbox, tenant, id} }

func (t target) String() string {
	if t.kind == schemas.KindTenant {
		return "tenant " + idText(t.tenant)
	}
	return string(t.kind) + " " + idText(t.tenant) + "/" + idText(t.id)
}

// named reports whether the target can exist: an id may come from a URL.
func (t target) named() bool { return config.IsSlug(t.tenant) && config.IsSlug(t.id) }

// allOrOne reports whether there can be documents of a tenant, or of all if it
// is empty.
func allOrOne(tenant string) bool { return tenant == "" || config.IsSlug(tenant) }

// matching returns the condition that a column has a value, with its argument;
// none for "", which is all. For a condition that its argument can switch off
// SQLite uses no index.
func matching(column, value string) (condition string, args []any) {
	if value == "" {
		return "", nil
	}
	return ` AND ` + column + ` = ?`, []any{value}
}

// idText returns an id as messages show it; what is no id is quoted.
func idText(id string) string {
	if config.IsSlug(id) {
		return id
	}
	return config.Quote(id)
}

// checkRevision compares what a change was based on with what is there.
func (t target) checkRevision(based int64, exists bool, current int64) error {
	err := CheckRevision(based, exists, current)
	switch {
	case err == nil:
		return nil
	case based == IfNew:
		return fmt.Errorf("creating %s: %w", t, err)
	}
	return fmt.Errorf("changing %s: %w", t, err)
}

// record writes the audit entry and the outbox row of a change. from is the
// revision before, 0 for a new document.
func (w *writer) record(ctx context.Context, t target, change string, from int64, fields []FieldChange) error {
	w.changes++
	w.documents = true
	if err := w.audit(ctx, t.kind, t.tenant, t.id, change, fields); err != nil {
		return fmt.Errorf("recording change of %s: %w", t, err)
	}
	event := schemas.ConfigChange{
		Kind: t.kind, Tenant: t.tenant, ID: t.id, Change: change,
		FromRevision: from, ToRevision: w.revision, Actor: w.actor.Name, ChangedAt: w.at,
	}
	if change == schemas.ChangeUpdated {
		event.Fields = paths(fields)
	}
	raw, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("recording change of %s: %w", t, err)
	}
	if _, err := w.exec(ctx, `INSERT INTO outbox (event_id, event) VALUES (?, ?)`, nuid.Next(), string(raw)); err != nil {
		return fmt.Errorf("recording change of %s: %w", t, err)
	}
	return nil
}
