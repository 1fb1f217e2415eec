package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
)

// A Document is what may be set of an account.
type Document struct {
	Name        string       `json:"name"` // to sign in with; unique without regard to case; never changed
	DisplayName string       `json:"display_name"`
	Role        control.Role `json:"role"`
	Tenant      string       `json:"tenant,omitempty"` // of a tenant administrator, and of a reader of one tenant
	Disabled    bool         `json:"disabled"`         // neither its sessions nor its API tokens work
}

// An Account is somebody who may sign in.
type Account struct {
	Document
	Issuer      string    `json:"issuer,omitempty"`  // of an account of OpenID Connect: who vouches for it,
	Subject     string    `json:"subject,omitempty"` // and by which name; role and tenant come from there
	HasPassword bool      `json:"has_password"`
	Revision    int64     `json:"revision"` // grows with every change of the document and the password
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	SignedInAt  time.Time `json:"signed_in_at,omitzero"` // zero: never

	key      string
	password string // PHC; "" for none
}

// External reports whether an identity provider vouches for the account.
func (a Account) External() bool { return a.Issuer != "" }

// Actor returns the actor that the account is, for a request from somewhere.
func (a Account) Actor(from string) control.Actor {
	return control.Actor{Name: a.Name, Role: a.Role, Tenant: a.Tenant, From: from}
}

const accountColumns = `a.name_key, a.name, a.display_name, a.role, a.tenant, a.issuer, a.subject, a.password, a.revision, a.created_at, a.updated_at, a.signed_in_at, a.disabled_at`

// row is where accountColumns are scanned to.
type row struct {
	a                                             Account
	issuer, subject, password, signedIn, disabled sql.NullString
	created, updated                              string
}

func (r *row) into() []any {
	return []any{&r.a.key, &r.a.Name, &r.a.DisplayName, &r.a.Role, &r.a.Tenant, &r.issuer, &r.subject, &r.password, &r.a.Revision, &r.created, &r.updated, &r.signedIn, &r.disabled}
}

func (r *row) account() (Account, error) {
	a := r.a
	a.Issuer, a.Subject, a.password = r.issuer.String, r.subject.String, r.password.String
	a.HasPassword, a.Disabled = r.password.Valid, r.disabled.Valid
	return a, parseTimes(r.created, &a.CreatedAt, r.updated, &a.UpdatedAt, r.signedIn.String, &a.SignedInAt)
}

// parseTimes takes pairs of a text and where its time goes; "" leaves it zero.
func parseTimes(pairs ...any) error {
	for i := 0; i < len(pairs); i += 2 {
		text, into := pairs[i].(string), pairs[i+1].(*time.Time)
		if text == "" {
			continue
		}
		at, err := control.ParseTime(text)
		if err != nil {
			return fmt.Errorf("reading a stored time: %w", err)
		}
		*into = at
	}
	return nil
}

// find returns the account that a condition selects; false if there is none.
func find(ctx context.Context, tx *control.Tx, condition string, args ...any) (Account, bool, error) {
	var r row
	err := tx.Row(ctx, `SELECT `+accountColumns+` FROM accounts a WHERE `+condition, args, r.into()...)
	if errors.Is(err, sql.ErrNoRows) {
		return Account{}, false, nil
	}
	if err != nil {
		return Account{}, false, fmt.Errorf("reading account: %w", err)
	}
	a, err := r.account()
	return a, err == nil, err
}

// byName returns an account, whatever was typed.
func byName(ctx context.Context, tx *control.Tx, name string) (Account, bool, error) {
	if _, ok := checkName(name); !ok {
		return Account{}, false, nil
	}
	return find(ctx, tx, `a.name_key = ?`, control.UsernameKey(name))
}

// insert writes a new account.
func insert(ctx context.Context, tx *control.Tx, a Account) error {
	_, err := tx.Exec(ctx, `INSERT INTO accounts (name_key, name, display_name, role, tenant, issuer, subject, password, revision, created_at, updated_at, disabled_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.key, a.Name, a.DisplayName, string(a.Role), a.Tenant, optional(a.Issuer), optional(a.Subject), optional(a.password), a.Revision,
		control.FormatTime(a.CreatedAt), control.FormatTime(a.UpdatedAt), disabledAt(a))
	if err != nil {
		return fmt.Errorf("writing account %s: %w", a.Name, err)
	}
	return nil
}

// save writes what may change of an account.
func save(ctx context.Context, tx *control.Tx, a Account) error {
	_, err := tx.Exec(ctx, `UPDATE accounts SET display_name = ?, role = ?, tenant = ?, password = ?, revision = ?, updated_at = ?, signed_in_at = ?, disabled_at = ? WHERE name_key = ?`,
		a.DisplayName, string(a.Role), a.Tenant, optional(a.password), a.Revision, control.FormatTime(a.UpdatedAt), optionalTime(a.SignedInAt), disabledAt(a), a.key)
	if err != nil {
		return fmt.Errorf("writing account %s: %w", a.Name, err)
	}
	return nil
}

func optional(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

func optionalTime(t time.Time) sql.NullString {
	if t.IsZero() {
		return sql.NullString{}
	}
	return optional(control.FormatTime(t))
}

func disabledAt(a Account) sql.NullString {
	if !a.Disabled {
		return sql.NullString{}
	}
	return optionalTime(a.UpdatedAt)
}
