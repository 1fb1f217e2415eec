package account

import (
	"context"
	"encoding/json"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/schemas"
)

// What audit entries of this package tell, besides schemas.ChangeCreated and so on.
const (
	ChangePassword  = "password-changed"
	ChangeLink      = "link-made"       // an invitation, or to replace a forgotten password
	ChangeSignIn    = "signed-in"       // a session
	ChangeSignOut   = "signed-out"      // a session
	ChangeFailed    = "sign-in-failed"  // of a session that did not come to be
	ChangeThrottled = "sign-in-delayed" // likewise; at most one entry a minute, account and address
	ChangeRefused   = "sign-in-refused" // likewise: the identity provider let the person in, mailyard did not
	ChangeRevoked   = "revoked"         // a session or an API token
)

// value is a field as JSON. Strings, numbers and booleans only, which always encode.
func value(v any) json.RawMessage {
	raw, _ := json.Marshal(v)
	return raw
}

func set(path string, v any) control.FieldChange {
	return control.FieldChange{Path: path, After: value(v)}
}

// diff compares what the audit tells of an account.
func diff(before, after Account) []control.FieldChange {
	var list []control.FieldChange
	add := func(path string, b, a any) {
		if b != a {
			list = append(list, control.FieldChange{Path: path, Before: value(b), After: value(a)})
		}
	}
	add("disabled", before.Disabled, after.Disabled)
	add("display_name", before.DisplayName, after.DisplayName)
	add("role", string(before.Role), string(after.Role))
	add("tenant", before.Tenant, after.Tenant)
	return list
}

// auditUpdate tells of a change to all whom it concerns. When an account moves,
// neither tenant learns of the other.
func auditUpdate(ctx context.Context, tx *control.Tx, before, after Account, fields []control.FieldChange) error {
	if before.Tenant == after.Tenant {
		return tx.Audit(ctx, KindAccount, after.Tenant, after.Name, schemas.ChangeUpdated, fields...)
	}
	for _, tenant := range []string{before.Tenant, after.Tenant} {
		told := append([]control.FieldChange(nil), fields...)
		for i := range told {
			switch {
			case told[i].Path != "tenant" || tenant == "":
			case tenant == before.Tenant:
				told[i].After = nil
			default:
				told[i].Before = nil
			}
		}
		if err := tx.Audit(ctx, KindAccount, tenant, after.Name, schemas.ChangeUpdated, told...); err != nil {
			return err
		}
	}
	return nil
}
