package account

import (
	"cmp"
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// anonymous is who asks before it is known who it is.
func anonymous(from string) control.Actor { return control.Actor{Name: "anonymous", From: from} }

// SignIn checks a password and starts a session. from is the address that the
// request came from. Unknown names, wrong passwords and disabled accounts have
// the same answer (ErrCredentials) after the same time; too many of them are
// delayed (*ThrottledError), per account and per address. The cookie stands in
// the session.
func (s *Store) SignIn(ctx context.Context, name string, password secret.String, from string) (Session, error) {
	var session Session
	err := s.tryPassword(ctx, name, password, from, func(tx *control.Tx, a Account) (err error) {
		session, err = startSession(ctx, tx, a, from)
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("signing in: %w", err)
	}
	return session, nil
}

// tryPassword calls accepted in a transaction of the account whose password it
// is. It throttles, and audits what fails.
func (s *Store) tryPassword(ctx context.Context, name string, password secret.String, from string, accepted func(*control.Tx, Account) error) error {
	try := newAttempt(name, from)
	if err := s.refuseEarly(ctx, try, name, from); err != nil {
		return err
	}
	release, err := s.hasher.acquire(ctx)
	if err != nil {
		return err
	}
	defer release()
	a, err := s.beginAttempt(ctx, try, name, from)
	if err != nil {
		return err
	}
	ok, err := s.hasher.verify(a.password, password)
	if err != nil {
		return fmt.Errorf("checking password of account %s: %w", a.Name, err)
	}
	if !ok || a.Disabled {
		return s.failed(ctx, a, from)
	}
	if s.hasher.outdated(a.password) {
		a.password = hashPassword(s.hasher.cost, normal(password)).String()
	}
	changed := false // while the password was checked
	err = s.db.Update(ctx, a.Actor(from), func(tx *control.Tx) error {
		now, exists, err := byName(ctx, tx, name)
		if err != nil {
			return err
		}
		if changed = !exists || now.Disabled || now.Revision != a.Revision || !now.CreatedAt.Equal(a.CreatedAt); changed {
			return nil
		}
		now.password = a.password
		if err := try.succeeded(ctx, tx); err != nil {
			return err
		}
		return accepted(tx, now)
	})
	if err == nil && changed {
		return s.failed(ctx, a, from)
	}
	return err
}

// refuseEarly refuses throttled attempts without a write, and before they
// wait for their turn.
func (s *Store) refuseEarly(ctx context.Context, try attempt, name, from string) error {
	var refused ThrottledError
	var note bool
	err := s.db.View(ctx, func(tx *control.Tx) (err error) {
		refused.After, note, err = try.wait(ctx, tx)
		return err
	})
	if err != nil || refused.After == 0 {
		return err
	}
	if note {
		if _, err := s.beginAttempt(ctx, try, name, from); err != nil {
			return err
		}
	}
	return &refused
}

// beginAttempt counts an attempt and returns the account, without a name if
// there is none. It refuses and audits a throttled one.
func (s *Store) beginAttempt(ctx context.Context, try attempt, name, from string) (a Account, err error) {
	var refused ThrottledError
	err = s.db.Update(ctx, anonymous(from), func(tx *control.Tx) error {
		var exists, note bool
		if a, exists, err = byName(ctx, tx, name); err != nil {
			return err
		}
		if !exists {
			a = Account{}
		}
		if refused.After, note, err = try.wait(ctx, tx); err != nil {
			return err
		}
		switch {
		case refused.After == 0:
			return try.begin(ctx, tx)
		case !note:
			return nil
		}
		if err := try.noted(ctx, tx); err != nil {
			return err
		}
		return auditAttempt(ctx, tx, a, ChangeThrottled)
	})
	if err == nil && refused.After > 0 {
		err = &refused
	}
	return a, err
}

func (s *Store) failed(ctx context.Context, a Account, from string) error {
	err := s.db.Update(ctx, anonymous(from), func(tx *control.Tx) error {
		return auditAttempt(ctx, tx, a, ChangeFailed)
	})
	if err != nil {
		return err
	}
	return ErrCredentials
}

func auditAttempt(ctx context.Context, tx *control.Tx, a Account, change string) error {
	return tx.Audit(ctx, KindSession, a.Tenant, orUnknown(a.Name), change)
}

func orUnknown(name string) string { return cmp.Or(name, unknown) }
