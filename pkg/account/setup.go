package account

import (
	"cmp"
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// setupActor makes setup links: the process, when it starts.
var setupActor = control.Actor{Name: "setup", Role: control.RoleLandlord}

// SetupPending reports whether there is no landlord's account yet that could
// sign in.
func (s *Store) SetupPending(ctx context.Context) (pending bool, err error) {
	err = s.db.View(ctx, func(tx *control.Tx) error {
		pending, err = setupPending(ctx, tx)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("looking for the landlord's account: %w", err)
	}
	return pending, nil
}

func setupPending(ctx context.Context, tx *control.Tx) (bool, error) {
	var n int
	err := tx.Row(ctx, `SELECT count(*) FROM accounts WHERE role = 'landlord' AND disabled_at IS NULL AND (password IS NOT NULL OR issuer IS NOT NULL)`, nil, &n)
	return n == 0, err
}

// NewSetupLink makes the link by which the first landlord's account is made;
// ErrSetupDone when there is one. Links that were made before stay valid: every
// replica prints one when it starts. Using one ends all.
func (s *Store) NewSetupLink(ctx context.Context) (link Link, err error) {
	err = s.db.Update(ctx, setupActor, func(tx *control.Tx) error {
		pending, err := setupPending(ctx, tx)
		if err != nil {
			return err
		}
		if !pending {
			return ErrSetupDone
		}
		if link, err = makeLink(ctx, tx, Account{}, SetupLifetime); err != nil {
			return err
		}
		return tx.Audit(ctx, KindAccount, "", "setup", ChangeLink, set("expires_at", control.FormatTime(link.ExpiresAt)))
	})
	if err != nil {
		return Link{}, fmt.Errorf("making the setup link: %w", err)
	}
	return link, nil
}

// CompleteSetup makes the landlord's account and signs it in.
//
// Errors: ErrLink, ErrSetupDone, config.Problems with the paths "name" and
// "password".
func (s *Store) CompleteSetup(ctx context.Context, token, name string, password secret.String, from string) (session Session, err error) {
	link, err := s.Link(ctx, token)
	if err == nil && link.Account != "" {
		err = ErrLink
	}
	if err != nil {
		return Session{}, fmt.Errorf("setting up: %w", err)
	}
	var problems config.Problems
	if message, ok := checkNewName(name); !ok {
		problems = append(problems, config.Problem{Path: "name", Message: message})
	}
	if err := append(problems, checkPassword("password", name, password)...).Err(); err != nil {
		return Session{}, err
	}
	hash, err := s.hasher.hash(ctx, password)
	if err != nil {
		return Session{}, fmt.Errorf("setting up: %w", err)
	}
	a := Account{Document: Document{Name: name, Role: control.RoleLandlord}, HasPassword: true, password: hash}
	err = s.db.Update(ctx, a.Actor(from), func(tx *control.Tx) error {
		if _, err := findLink(ctx, tx, token); err != nil {
			return err
		}
		if pending, err := setupPending(ctx, tx); err != nil || !pending {
			return cmp.Or(err, ErrSetupDone)
		}
		if _, exists, err := byName(ctx, tx, name); err != nil || exists {
			return cmp.Or[error](err, config.Problems{{Path: "name", Message: "is in use"}})
		}
		if _, err := tx.Exec(ctx, `DELETE FROM account_links WHERE account IS NULL`); err != nil {
			return err
		}
		made, err := create(ctx, tx, a)
		if err != nil {
			return err
		}
		session, err = startSession(ctx, tx, made, from)
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("setting up: %w", err)
	}
	return session, nil
}
