package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// How long one-time links are valid.
const (
	SetupLifetime  = 24 * time.Hour
	ResetLifetime  = 24 * time.Hour
	InviteLifetime = 7 * 24 * time.Hour // for an account that has no password yet
)

// A Link is a one-time link: whoever follows it sets a password.
type Link struct {
	Account   string // "" for the setup link, which makes the landlord's account
	ExpiresAt time.Time
	Token     secret.String // what the link holds; only of a link that was just made
}

// ResetLink makes a link by which the password of an account is set: the
// invitation to a new account, or the way out when a password was forgotten. A
// link that was made before stops working; the password, if there is one, goes on
// until the link is used. For those who manage the account.
func (s *Store) ResetLink(ctx context.Context, actor control.Actor, account string) (link Link, err error) {
	err = s.db.Update(ctx, actor, func(tx *control.Tx) error {
		if err := inPerson(actor); err != nil {
			return err
		}
		a, err := managed(ctx, tx, actor, account)
		switch {
		case err != nil:
			return err
		case a.External():
			return config.Problems{{Path: "name", Message: "the account's password is kept by the identity provider; change it there"}}
		case a.Disabled:
			return config.Problems{{Path: "disabled", Message: "the account is disabled; enable it first"}}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM account_links WHERE account = ?`, a.key); err != nil {
			return err
		}
		lifetime := ResetLifetime
		if !a.HasPassword {
			lifetime = InviteLifetime
		}
		if link, err = makeLink(ctx, tx, a, lifetime); err != nil {
			return err
		}
		return tx.Audit(ctx, KindAccount, a.Tenant, a.Name, ChangeLink, set("expires_at", control.FormatTime(link.ExpiresAt)))
	})
	if err != nil {
		return Link{}, fmt.Errorf("making link for account %.80s: %w", account, err)
	}
	return link, nil
}

// makeLink makes a link for an account, or the setup link for the zero Account.
func makeLink(ctx context.Context, tx *control.Tx, a Account, lifetime time.Duration) (Link, error) {
	t := newTicket(linkPrefix)
	link := Link{Account: a.Name, ExpiresAt: tx.Now().Add(lifetime), Token: t.text()}
	_, err := tx.Exec(ctx, `INSERT INTO account_links (id, account, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?)`,
		t.id, optional(a.key), t.hash(), control.FormatTime(tx.Now()), control.FormatTime(link.ExpiresAt))
	return link, err
}

// Link returns what a link is for, so that a page can say it; ErrLink if it is
// not valid.
func (s *Store) Link(ctx context.Context, token string) (link Link, err error) {
	err = s.db.View(ctx, func(tx *control.Tx) error {
		l, err := findLink(ctx, tx, token)
		link = Link{Account: l.Name, ExpiresAt: l.expires}
		return err
	})
	if err != nil {
		return Link{}, fmt.Errorf("checking link: %w", err)
	}
	return link, nil
}

// storedLink is a valid link with its account, which is zero for the setup link.
type storedLink struct {
	Account
	expires time.Time
}

func findLink(ctx context.Context, tx *control.Tx, token string) (l storedLink, err error) {
	t, ok := parseTicket(linkPrefix, token)
	if !ok {
		return l, ErrLink
	}
	var key sql.NullString
	var hash []byte
	var expires string
	err = tx.Row(ctx, `SELECT account, hash, expires_at FROM account_links WHERE id = ?`, []any{t.id}, &key, &hash, &expires)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return l, fmt.Errorf("reading link: %w", err)
	}
	if err := parseTimes(expires, &l.expires); err != nil {
		return l, err
	}
	if !t.matches(hash) || !tx.Now().Before(l.expires) {
		return storedLink{}, ErrLink
	}
	if !key.Valid {
		return l, nil
	}
	a, exists, err := find(ctx, tx, `a.name_key = ?`, key.String)
	if err == nil && (!exists || a.Disabled) {
		err = ErrLink
	}
	if err != nil {
		return storedLink{}, err
	}
	l.Account = a
	return l, nil
}

// CompleteReset sets the password of the account that a link is for, ends the
// account's sessions and starts a new one. The link works once.
//
// Errors: ErrLink, config.Problems with the path "password".
func (s *Store) CompleteReset(ctx context.Context, token string, password secret.String, from string) (session Session, err error) {
	var invited Account
	err = s.db.View(ctx, func(tx *control.Tx) error {
		l, err := findLink(ctx, tx, token)
		if err == nil && l.Name == "" {
			err = ErrLink
		}
		invited = l.Account
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("setting password: %w", err)
	}
	if err := checkPassword("password", invited.Name, password).Err(); err != nil {
		return Session{}, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return Session{}, fmt.Errorf("setting password of %s: %w", invited.Name, err)
	}
	err = s.db.Update(ctx, invited.Actor(from), func(tx *control.Tx) error {
		l, err := findLink(ctx, tx, token) // nobody else used it
		if err != nil {
			return err
		}
		if err := forgetFailures(ctx, tx, l.Name); err != nil {
			return err
		}
		session, err = replacePassword(ctx, tx, l.Account, hash, from) // deletes the link
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("setting password of %s: %w", invited.Name, err)
	}
	return session, nil
}
