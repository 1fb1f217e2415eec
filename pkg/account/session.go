package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// How long a session lasts.
const (
	SessionIdle     = 12 * time.Hour     // without a request
	SessionLifetime = 7 * 24 * time.Hour // whatever happens
)

// seenEvery is how exactly last use of sessions and API tokens is known: one
// write for all the requests of a minute.
const seenEvery = time.Minute

// A Session is an account that has signed in.
type Session struct {
	ID        string        `json:"id"` // to revoke it; no secret
	Account   Account       `json:"account"`
	Actor     control.Actor `json:"-"`    // From is where the sign-in came from
	From      string        `json:"from"` // likewise
	CreatedAt time.Time     `json:"created_at"`
	SeenAt    time.Time     `json:"seen_at"` // last request, to the minute
	ExpiresAt time.Time     `json:"expires_at"`
	Cookie    secret.String `json:"-"` // for the browser; only of a session that was just made
}

// startSession makes a session in the transaction that lets somebody in.
func startSession(ctx context.Context, tx *control.Tx, a Account, from string) (Session, error) {
	now, t := tx.Now(), newTicket(sessionPrefix)
	a.SignedInAt = now
	if err := save(ctx, tx, a); err != nil {
		return Session{}, err
	}
	s := Session{ID: t.id, Account: a, Actor: a.Actor(from), From: from, CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(SessionLifetime), Cookie: t.text()}
	_, err := tx.Exec(ctx, `INSERT INTO account_sessions (id, account, hash, source, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		s.ID, a.key, t.hash(), from, control.FormatTime(now), control.FormatTime(now), control.FormatTime(s.ExpiresAt))
	if err != nil {
		return Session{}, fmt.Errorf("starting session of %s: %w", a.Name, err)
	}
	return s, tx.Audit(ctx, KindSession, a.Tenant, a.Name, ChangeSignIn, set("session", s.ID))
}

const sessionColumns = `s.id, s.hash, s.source, s.created_at, s.seen_at, s.expires_at, ` + accountColumns

// scanSession returns a session, over or not, with the hash of its secret.
func scanSession(scan func(...any) error) (s Session, hash []byte, err error) {
	var r row
	var created, seen, expires string
	if err := scan(append([]any{&s.ID, &hash, &s.From, &created, &seen, &expires}, r.into()...)...); err != nil {
		return s, nil, err
	}
	if s.Account, err = r.account(); err != nil {
		return s, nil, err
	}
	s.Actor = s.Account.Actor(s.From)
	return s, hash, parseTimes(created, &s.CreatedAt, seen, &s.SeenAt, expires, &s.ExpiresAt)
}

// over reports whether a session has ended.
func (s Session) over(now time.Time) bool {
	return s.Account.Disabled || !now.Before(s.ExpiresAt) || !now.Before(s.SeenAt.Add(SessionIdle))
}

// Session returns the session of a cookie, and notes that it is in use.
// ErrSignedOut if there is none, or it is over.
func (s *Store) Session(ctx context.Context, cookie string) (Session, error) {
	var found Session
	var now time.Time
	err := s.db.View(ctx, func(tx *control.Tx) (err error) {
		now = tx.Now()
		found, err = sessionOf(ctx, tx, cookie)
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("checking session: %w", err)
	}
	if now.Sub(found.SeenAt) < seenEvery {
		return found, nil
	}
	found.SeenAt = now
	err = s.db.Update(ctx, found.Actor, func(tx *control.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE account_sessions SET seen_at = ? WHERE id = ? AND seen_at < ?`, control.FormatTime(now), found.ID, control.FormatTime(now))
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("noting use of session of %s: %w", found.Account.Name, err)
	}
	return found, nil
}

func sessionOf(ctx context.Context, tx *control.Tx, cookie string) (Session, error) {
	t, ok := parseTicket(sessionPrefix, cookie)
	if !ok {
		return Session{}, ErrSignedOut
	}
	found, hash, err := scanSession(func(into ...any) error {
		return tx.Row(ctx, `SELECT `+sessionColumns+` FROM account_sessions s JOIN accounts a ON a.name_key = s.account WHERE s.id = ?`, []any{t.id}, into...)
	})
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return Session{}, err
	}
	if !t.matches(hash) || found.over(tx.Now()) {
		return Session{}, ErrSignedOut
	}
	return found, nil
}

// SignOut ends the session of a cookie. A session that is over already is no error.
func (s *Store) SignOut(ctx context.Context, cookie, from string) error {
	var found Session
	err := s.db.View(ctx, func(tx *control.Tx) (err error) {
		found, err = sessionOf(ctx, tx, cookie)
		return err
	})
	if errors.Is(err, ErrSignedOut) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("signing out: %w", err)
	}
	err = s.db.Update(ctx, found.Account.Actor(from), func(tx *control.Tx) error {
		return endSession(ctx, tx, found, ChangeSignOut)
	})
	if err != nil {
		return fmt.Errorf("signing out %s: %w", found.Account.Name, err)
	}
	return nil
}

// endSession deletes a session, if nobody else did.
func endSession(ctx context.Context, tx *control.Tx, s Session, change string) error {
	n, err := tx.Exec(ctx, `DELETE FROM account_sessions WHERE id = ?`, s.ID)
	if err != nil || n == 0 {
		return err
	}
	return tx.Audit(ctx, KindSession, s.Account.Tenant, s.Account.Name, change, set("session", s.ID))
}
