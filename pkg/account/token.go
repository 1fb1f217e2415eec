package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
)

// TokenLifetime is the longest that an API token may be valid.
const TokenLifetime = 366 * 24 * time.Hour

// A TokenSpec is what may be chosen of an API token.
type TokenSpec struct {
	Name    string       `json:"name"` // an id (slug), unique in the account
	Role    control.Role `json:"role"` // not above the account's
	Tenant  string       `json:"tenant,omitempty"`
	Expires time.Time    `json:"expires_at"`
}

// A Token is an API token of an account. It works as long as its account does,
// and gives nothing that the account does not have.
type Token struct {
	TokenSpec
	ID        string    `json:"id"`      // to revoke it; no secret
	Account   string    `json:"account"` // name of the account
	CreatedAt time.Time `json:"created_at"`
	UsedAt    time.Time `json:"used_at,omitzero"` // last use, to the minute; zero: never
	UsedFrom  string    `json:"used_from,omitempty"`
	// Resting: it does not work until its owner, whom an identity provider vouches
	// for, signs in there again.
	Resting bool `json:"owner_must_sign_in"`

	owner control.Role
}

const tokenColumns = `t.id, t.name, t.role, t.tenant, t.hash, t.created_at, t.expires_at, t.used_at, t.used_from, ` + accountColumns

// scanToken returns a token with the hash of its secret and its account.
func scanToken(scan func(...any) error) (t Token, hash []byte, a Account, err error) {
	var r row
	var created, expires string
	var used sql.NullString
	if err := scan(append([]any{&t.ID, &t.Name, &t.Role, &t.Tenant, &hash, &created, &expires, &used, &t.UsedFrom}, r.into()...)...); err != nil {
		return t, nil, a, err
	}
	if a, err = r.account(); err != nil {
		return t, nil, a, err
	}
	t.Account, t.owner = a.Name, a.Role
	return t, hash, a, parseTimes(created, &t.CreatedAt, expires, &t.Expires, used.String, &t.UsedAt)
}

// actor is who asks with the token. No account has a name with spaces.
func (t Token) actor(from string) control.Actor {
	return control.Actor{Name: "token " + t.Name + " of " + t.Account, Role: t.Role, Tenant: t.Tenant, From: from, Token: true, Owner: t.owner}
}

// Token returns the actor that an API token stands for, and notes its use.
// ErrToken if it is unknown, expired or revoked, or if the account is disabled or
// has lost the role that the token gives; ErrTokenRests if its owner is to sign in
// at the identity provider first.
func (s *Store) Token(ctx context.Context, bearer, from string) (control.Actor, error) {
	var found Token
	var now time.Time
	err := s.db.View(ctx, func(tx *control.Tx) (err error) {
		now = tx.Now()
		found, err = s.tokenOf(ctx, tx, bearer)
		return err
	})
	if err != nil {
		return control.Actor{}, fmt.Errorf("checking API token: %w", err)
	}
	actor := found.actor(from)
	if now.Sub(found.UsedAt) < seenEvery {
		return actor, nil
	}
	err = s.db.Update(ctx, actor, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE account_tokens SET used_at = ?, used_from = ? WHERE id = ? AND (used_at IS NULL OR used_at < ?)`,
			control.FormatTime(now), from, found.ID, control.FormatTime(now))
		return err
	})
	if err != nil {
		return control.Actor{}, fmt.Errorf("noting use of API %s: %w", actor.Name, err)
	}
	return actor, nil
}

func (s *Store) tokenOf(ctx context.Context, tx *control.Tx, bearer string) (Token, error) {
	t, ok := parseTicket(tokenPrefix, bearer)
	if !ok {
		return Token{}, ErrToken
	}
	found, hash, a, err := scanToken(func(into ...any) error {
		return tx.Row(ctx, `SELECT `+tokenColumns+` FROM account_tokens t JOIN accounts a ON a.name_key = t.account WHERE t.id = ?`, []any{t.id}, into...)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Token{}, err
	}
	if !t.matches(hash) || !tx.Now().Before(found.Expires) || a.Disabled || !within(found.Role, found.Tenant, a.Role, a.Tenant) {
		return Token{}, ErrToken
	}
	if s.rests(a, tx.Now()) {
		return Token{}, ErrTokenRests
	}
	return found, nil
}

// rests reports whether the API tokens of an account do not work because the
// identity provider has not vouched for it for too long: it tells nobody when it
// removes a person.
func (s *Store) rests(a Account, now time.Time) bool {
	return a.External() && !now.Before(a.SignedInAt.Add(s.vouched))
}

// Tokens returns the API tokens of an account, by name: of the own one, or of one
// that the actor manages. Expired ones stay for 30 days.
func (s *Store) Tokens(ctx context.Context, actor control.Actor, account string) (list []Token, err error) {
	err = s.db.View(ctx, func(tx *control.Tx) error {
		a, err := visible(ctx, tx, actor, account)
		if err != nil {
			return err
		}
		return tx.Each(ctx, func(scan func(...any) error) error {
			t, _, a, err := scanToken(scan)
			t.Resting = s.rests(a, tx.Now())
			list = append(list, t)
			return err
		}, `SELECT `+tokenColumns+` FROM account_tokens t JOIN accounts a ON a.name_key = t.account WHERE t.account = ? ORDER BY t.name`, a.key)
	})
	if err != nil {
		return nil, fmt.Errorf("listing API tokens of account %.80s: %w", account, err)
	}
	return list, nil
}

// RevokeToken deletes an API token of the own account, or of one that the actor
// manages. An API token may revoke itself.
func (s *Store) RevokeToken(ctx context.Context, actor control.Actor, id string) error {
	err := s.db.Update(ctx, actor, func(tx *control.Tx) error {
		if !isID(id) {
			return control.ErrNotFound
		}
		t, _, a, err := scanToken(func(into ...any) error {
			return tx.Row(ctx, `SELECT `+tokenColumns+` FROM account_tokens t JOIN accounts a ON a.name_key = t.account WHERE t.id = ?`, []any{id}, into...)
		})
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		switch exists := err == nil; {
		case exists && actor.Token && actor.Name == t.actor("").Name: // it gives itself up
		case actor.Token:
			return ErrByToken
		case !exists:
			return control.ErrNotFound
		default:
			if err := maySee(actor, a); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM account_tokens WHERE id = ?`, id); err != nil {
			return err
		}
		return tx.Audit(ctx, KindToken, a.Tenant, t.ID, ChangeRevoked, set("name", t.Name), set("account", a.Name))
	})
	if err != nil {
		return fmt.Errorf("revoking API token %.80s: %w", id, err)
	}
	return nil
}
