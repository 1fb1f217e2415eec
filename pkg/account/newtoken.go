package account

import (
	"context"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

// CreateToken makes an API token of the actor's own account and returns it, once.
// API tokens make no API tokens: who finds one could keep others for ever.
//
// Errors: config.Problems, control.ErrForbidden.
func (s *Store) CreateToken(ctx context.Context, actor control.Actor, spec TokenSpec) (text secret.String, token Token, err error) {
	err = s.db.Update(ctx, actor, func(tx *control.Tx) error {
		if err := inPerson(actor); err != nil {
			return err
		}
		a, exists, err := byName(ctx, tx, actor.Name)
		if err != nil {
			return err
		}
		if !exists || a.Disabled {
			return fmt.Errorf("%w: sign in with an account to make API tokens", control.ErrForbidden)
		}
		if err := checkToken(ctx, tx, a, spec); err != nil {
			return err
		}
		t := newTicket(tokenPrefix)
		text, token = t.text(), Token{TokenSpec: spec, ID: t.id, Account: a.Name, CreatedAt: tx.Now()}
		token.Expires = spec.Expires.UTC().Truncate(time.Microsecond)
		_, err = tx.Exec(ctx, `INSERT INTO account_tokens (id, account, name, role, tenant, hash, created_at, expires_at, used_from) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')`,
			t.id, a.key, spec.Name, string(spec.Role), spec.Tenant, t.hash(), control.FormatTime(tx.Now()), control.FormatTime(token.Expires))
		if err != nil {
			return err
		}
		return tx.Audit(ctx, KindToken, a.Tenant, t.id, schemas.ChangeCreated,
			set("name", spec.Name), set("account", a.Name), set("role", string(spec.Role)), set("tenant", spec.Tenant), set("expires_at", control.FormatTime(token.Expires)))
	})
	if err != nil {
		return secret.String{}, Token{}, fmt.Errorf("making API token %.80s: %w", spec.Name, err)
	}
	return text, token, nil
}

func checkToken(ctx context.Context, tx *control.Tx, a Account, spec TokenSpec) error {
	var problems config.Problems
	add := func(path, message string) { problems = append(problems, config.Problem{Path: path, Message: message}) }
	if !config.IsSlug(spec.Name) {
		add("name", "is not an id: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -")
	}
	switch {
	case spec.Expires.IsZero():
		add("expires_at", "is required")
	case !spec.Expires.After(tx.Now()):
		add("expires_at", "is in the past")
	case spec.Expires.After(tx.Now().Add(TokenLifetime)):
		add("expires_at", "is too far away; an API token is valid for at most 366 days")
	}
	role := checkRole(spec.Role, spec.Tenant)
	if problems = append(problems, role...); len(role) == 0 && !within(spec.Role, spec.Tenant, a.Role, a.Tenant) {
		add("role", "gives more than your account has")
	}
	if err := problems.Err(); err != nil {
		return err
	}
	var taken int
	if err := tx.Row(ctx, `SELECT count(*) FROM account_tokens WHERE account = ? AND name = ?`, []any{a.key, spec.Name}, &taken); err != nil {
		return fmt.Errorf("reading API tokens: %w", err)
	}
	if taken > 0 {
		return config.Problems{{Path: "name", Message: "is in use; revoke that API token first, or choose another name"}}
	}
	return checkTenant(ctx, tx, spec.Tenant)
}
