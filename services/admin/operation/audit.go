package operation

import (
	"context"
	"strconv"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/schemas"
)

// ListAudit asks for audit entries.
type ListAudit struct {
	Tenant string       `query:"tenant" json:"tenant,omitempty" doc:"Id of the tenant; empty: of all that the actor may see."`
	Kind   schemas.Kind `query:"kind" json:"kind,omitempty" maxLength:"40" doc:"tenant, folder, mailbox, account, session, token, dead-letter."`
	ID     string       `query:"id" json:"id,omitempty" maxLength:"200" doc:"Id of what was changed."`
	Actor  string       `query:"actor" json:"actor,omitempty" maxLength:"200" doc:"Who did it."`
	Since  time.Time    `query:"since" json:"since,omitzero" doc:"Only entries from then on."`
	Until  time.Time    `query:"until" json:"until,omitzero" doc:"Only entries before then."`
	Before string       `query:"before" json:"before,omitempty" maxLength:"100" doc:"next of another page."`
	Limit  int          `query:"limit" json:"limit,omitempty" minimum:"0" maximum:"500" doc:"Most entries of the page; 0 is 50."`
}

// AuditPage is a page of the audit, the newest first.
type AuditPage struct {
	Entries []AuditEntry `json:"entries"`
	Next    string       `json:"next,omitempty"` // empty: there are no more
}

// AuditEntry says who did what, when and from where. Of secrets it says only
// that they were changed.
type AuditEntry struct {
	ID       string                `json:"id"`
	At       time.Time             `json:"at"`
	Revision string                `json:"revision"` // that the change made
	Actor    string                `json:"actor"`
	Role     control.Role          `json:"role"` // of the person, also when an API token of theirs may do less
	From     string                `json:"from"` // empty: not told, as where the landlord works to the people of a tenant
	Kind     schemas.Kind          `json:"kind"`
	Tenant   string                `json:"tenant"`
	Document string                `json:"document"`
	Change   string                `json:"change"`
	Fields   []control.FieldChange `json:"fields"`
}

// ListAudit returns audit entries. People of a tenant see that tenant's, and
// not from where the landlord made them.
func (d *Desk) ListAudit(ctx context.Context, a control.Actor, in *ListAudit) (AuditPage, error) {
	tenant := in.Tenant
	if tenant == "" {
		tenant = a.Tenant
	}
	if err := mayRead(a, tenant); err != nil {
		return AuditPage{}, err
	}
	limit := in.Limit
	if limit <= 0 || limit > 500 {
		limit = 50
	}
	s := d.Control.Sealer(auditNumber, tenant)
	from, err := before(in.Before, s)
	if err != nil {
		return AuditPage{}, err
	}
	entries, err := d.Control.Audit(ctx, a, control.AuditQuery{Tenant: tenant, Kind: in.Kind, ID: in.ID, Actor: in.Actor, Since: in.Since, Until: in.Until, Before: from, Limit: limit + 1})
	if err != nil {
		return AuditPage{}, err
	}
	page := AuditPage{Entries: []AuditEntry{}}
	for i, e := range entries {
		if i == limit {
			page.Next = s.Seal(entries[i-1].ID)
			break
		}
		if e.Role == control.RoleLandlord && a.Tenant != "" {
			e.From = "" // where the landlord works is nothing for tenants
		}
		page.Entries = append(page.Entries, AuditEntry{
			ID: d.Control.Sealer(auditNumber, e.Tenant).Seal(e.ID), At: e.At, Revision: d.revisions(e.Tenant).Seal(e.Revision), Actor: e.Actor, Role: e.Role, From: e.From,
			Kind: e.Kind, Tenant: e.Tenant, Document: d.document(e), Change: e.Change, Fields: e.Fields,
		})
	}
	return page, nil
}

// document returns the id of what an entry is about. Entries of dead letters had
// their sequence for it once.
func (d *Desk) document(e control.AuditEntry) string {
	if n, err := strconv.ParseInt(e.Document, 10, 64); err == nil && e.Kind == kindDeadLetter {
		return d.Control.Sealer(deadNumber, e.Tenant).Seal(n)
	}
	return e.Document
}
