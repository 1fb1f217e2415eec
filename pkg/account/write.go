package account

import (
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/schemas"
)

// PutAccount creates or changes an account. based is the revision that the
// change was made on, 0 for any, control.IfThere for any of an account that is
// there, control.IfNew for a new one. A new account has no password: ResetLink
// makes the invitation. A change of role or tenant, and disabling, ends the
// account's sessions. What changes nothing leaves no trace.
//
// Errors: config.Problems, control.ErrForbidden, control.ErrExists,
// control.ErrStale, ErrLastLandlord.
func (s *Store) PutAccount(ctx context.Context, actor control.Actor, doc Document, based int64) (a Account, err error) {
	if err := checkDocument(actor, doc); err != nil {
		return a, err
	}
	err = s.db.Update(ctx, actor, func(tx *control.Tx) error {
		before, exists, err := byName(ctx, tx, doc.Name)
		if err != nil {
			return err
		}
		if exists && maySee(actor, before) != nil {
			if err := control.CheckRevision(based, false, 0); err != nil { // as if it did not exist
				return err
			}
			return config.Problems{{Path: "name", Message: "is in use"}}
		}
		if exists {
			if err := mayManage(actor, before); err != nil {
				return err
			}
		}
		if err := control.CheckRevision(based, exists, before.Revision); err != nil {
			return err
		}
		if err := checkTenant(ctx, tx, doc.Tenant); err != nil {
			return err
		}
		if message, ok := checkNewName(doc.Name); !ok && !exists {
			return config.Problems{{Path: "name", Message: message}}
		}
		if !exists {
			a, err = create(ctx, tx, Account{Document: doc})
			return err
		}
		a, err = change(ctx, tx, before, doc)
		return err
	})
	if err != nil {
		return Account{}, fmt.Errorf("saving account %.80s: %w", doc.Name, err)
	}
	return a, nil
}

// DisableAccount disables an account, or enables it again.
func (s *Store) DisableAccount(ctx context.Context, actor control.Actor, name string, disabled bool) (a Account, err error) {
	err = s.db.Update(ctx, actor, func(tx *control.Tx) error {
		if err := inPerson(actor); err != nil {
			return err
		}
		before, err := managed(ctx, tx, actor, name)
		if err != nil {
			return err
		}
		doc := before.Document
		doc.Disabled = disabled
		a, err = change(ctx, tx, before, doc)
		return err
	})
	if err != nil {
		return Account{}, fmt.Errorf("disabling account %.80s: %w", name, err)
	}
	return a, nil
}

// DeleteAccount deletes an account with its sessions and API tokens.
func (s *Store) DeleteAccount(ctx context.Context, actor control.Actor, name string, based int64) error {
	err := s.db.Update(ctx, actor, func(tx *control.Tx) error {
		if err := inPerson(actor); err != nil {
			return err
		}
		a, err := managed(ctx, tx, actor, name)
		if err != nil {
			return err
		}
		if err := control.CheckRevision(based, true, a.Revision); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM accounts WHERE name_key = ?`, a.key); err != nil {
			return err
		}
		if err := keepALandlord(ctx, tx, a); err != nil {
			return err
		}
		return tx.Audit(ctx, KindAccount, a.Tenant, a.Name, schemas.ChangeDeleted)
	})
	if err != nil {
		return fmt.Errorf("deleting account %.80s: %w", name, err)
	}
	return nil
}

// create writes a new account.
func create(ctx context.Context, tx *control.Tx, a Account) (Account, error) {
	a.key = control.UsernameKey(a.Name)
	a.Revision, a.CreatedAt, a.UpdatedAt = 1, tx.Now(), tx.Now()
	if err := insert(ctx, tx, a); err != nil {
		return a, err
	}
	fields := diff(Account{}, a)
	for i := range fields {
		fields[i].Before = nil
	}
	return a, tx.Audit(ctx, KindAccount, a.Tenant, a.Name, schemas.ChangeCreated, fields...)
}

// change writes what is different in a document.
func change(ctx context.Context, tx *control.Tx, before Account, doc Document) (Account, error) {
	after := before
	doc.Name = before.Name
	after.Document = doc
	fields := diff(before, after)
	if len(fields) == 0 {
		return before, nil
	}
	moved := before.Role != after.Role || before.Tenant != after.Tenant
	if moved && before.External() {
		return before, config.Problems{{Path: "role", Message: "comes from the identity provider; change it there"}}
	}
	after.Revision, after.UpdatedAt = before.Revision+1, tx.Now()
	if err := save(ctx, tx, after); err != nil {
		return before, err
	}
	if err := keepALandlord(ctx, tx, before); err != nil {
		return before, err
	}
	if moved || after.Disabled && !before.Disabled {
		ended, err := dropAccess(ctx, tx, after)
		if err != nil {
			return before, err
		}
		fields = append(fields, ended...)
	}
	return after, auditUpdate(ctx, tx, before, after, fields)
}

// dropAccess ends sessions and takes back links, and returns what the audit tells
// of it. API tokens are checked against the account whenever they are used.
func dropAccess(ctx context.Context, tx *control.Tx, a Account) ([]control.FieldChange, error) {
	if _, err := tx.Exec(ctx, `DELETE FROM account_links WHERE account = ?`, a.key); err != nil {
		return nil, fmt.Errorf("taking back links of account %s: %w", a.Name, err)
	}
	n, err := tx.Exec(ctx, `DELETE FROM account_sessions WHERE account = ?`, a.key)
	if err != nil {
		return nil, fmt.Errorf("ending sessions of account %s: %w", a.Name, err)
	}
	if n == 0 {
		return nil, nil
	}
	return []control.FieldChange{set("sessions_ended", n)}, nil
}

// keepALandlord refuses a change after which no landlord could sign in: or none
// with a password, if the account was one of these, for the identity provider
// may be down, or have changed its mind.
func keepALandlord(ctx context.Context, tx *control.Tx, before Account) error {
	if before.Role != control.RoleLandlord || before.Disabled || !before.HasPassword && !before.External() {
		return nil
	}
	query := `SELECT count(*) FROM accounts WHERE role = 'landlord' AND disabled_at IS NULL AND password IS NOT NULL`
	if before.External() {
		query = `SELECT count(*) FROM accounts WHERE role = 'landlord' AND disabled_at IS NULL AND (password IS NOT NULL OR issuer IS NOT NULL)`
	}
	var left int
	if err := tx.Row(ctx, query, nil, &left); err != nil {
		return fmt.Errorf("counting landlord's accounts: %w", err)
	}
	if left == 0 {
		return ErrLastLandlord
	}
	return nil
}
