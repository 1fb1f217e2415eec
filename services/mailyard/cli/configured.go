package cli

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
)

// exportJSON prints documents as an array, each with its kind.
func (c *command) exportJSON(docs []config.Document) error {
	out := make([]json.RawMessage, 0, len(docs))
	for _, d := range docs {
		var fields map[string]any
		if err := json.Unmarshal(d.JSON, &fields); err != nil {
			return err
		}
		fields["kind"] = d.Kind
		if d.GenerateKey {
			fields["encryption_key"] = "generate"
		}
		raw, err := json.Marshal(fields)
		if err != nil {
			return err
		}
		out = append(out, raw)
	}
	return c.printJSON(out)
}

// configured returns every mailbox with the state that its configuration alone tells.
func (c *command) configured(ctx context.Context) (lines map[string]mailboxLine, err error) {
	store, err := c.control(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	tenants, err := store.ListTenants(ctx, actor())
	if err != nil {
		return nil, err
	}
	lines = map[string]mailboxLine{}
	for _, t := range tenants {
		mailboxes, err := store.ListMailboxes(ctx, actor(), t.Document.ID)
		if err != nil {
			return nil, err
		}
		for _, m := range mailboxes {
			l := mailboxLine{Name: m.Document.Name}
			l.Tenant, l.Mailbox, l.Revision = m.Document.Tenant, m.Document.ID, m.Revision
			switch {
			case m.Document.Enabled:
				l.Status = schemas.StatusConnecting
			case m.EnabledAt != nil:
				l.Status = schemas.StatusDisabled
			default:
				l.Status = schemas.StatusDraft
			}
			lines[l.Tenant+"/"+l.Mailbox] = l
		}
	}
	return lines, nil
}
