package account

import (
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// SetPassword changes the password of the actor's own account, for whoever knows
// the current one: a browser that was left alone is not enough. All sessions of
// the account end, and a new one begins. Nobody sets the password of somebody
// else; that is what ResetLink is for.
//
// Errors: config.Problems with the path "password", ErrCredentials for a wrong
// current password, *ThrottledError as in SignIn.
func (s *Store) SetPassword(ctx context.Context, actor control.Actor, current, password secret.String) (session Session, err error) {
	if err := checkPassword("password", actor.Name, password).Err(); err != nil {
		return Session{}, err
	}
	var checked Account
	err = s.tryPassword(ctx, actor.Name, current, actor.From, func(_ *control.Tx, a Account) error {
		checked = a
		return nil
	})
	if err != nil {
		return Session{}, fmt.Errorf("changing password of %s: %w", actor.Name, err)
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return Session{}, fmt.Errorf("changing password of %s: %w", actor.Name, err)
	}
	err = s.db.Update(ctx, actor, func(tx *control.Tx) error {
		a, exists, err := byName(ctx, tx, actor.Name)
		if err != nil {
			return err
		}
		if !exists || a.Revision != checked.Revision { // it was changed while the new one was hashed
			return ErrCredentials
		}
		session, err = replacePassword(ctx, tx, a, hash, actor.From)
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("changing password of %s: %w", actor.Name, err)
	}
	return session, nil
}

// replacePassword keeps the hash of a new password, ends what the old one began,
// and starts a session.
func replacePassword(ctx context.Context, tx *control.Tx, a Account, hash, from string) (Session, error) {
	a.password, a.HasPassword = hash, true
	a.Revision, a.UpdatedAt = a.Revision+1, tx.Now()
	if err := save(ctx, tx, a); err != nil {
		return Session{}, err
	}
	ended, err := dropAccess(ctx, tx, a)
	if err != nil {
		return Session{}, err
	}
	fields := append([]control.FieldChange{set("password", "changed")}, ended...)
	if err := tx.Audit(ctx, KindAccount, a.Tenant, a.Name, ChangePassword, fields...); err != nil {
		return Session{}, err
	}
	return startSession(ctx, tx, a, from)
}
