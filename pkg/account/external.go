package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/mailyard/mailyard/pkg/control"
)

// An Identity is what an identity provider says of a person. Package oidc makes
// it; it has been verified.
type Identity struct {
	Issuer      string
	Subject     string // unique at the issuer, never used again (OpenID Connect Core, section 2)
	Name        string // how the person is called there; the first one becomes the account's name
	DisplayName string
	Role        control.Role
	Tenant      string
}

// SignInExternal starts a session for whom an identity provider vouches for. The
// first time it makes an account; every time it takes role, tenant and display
// name over. *RefusedError if the account is disabled or there is no such tenant.
func (s *Store) SignInExternal(ctx context.Context, id Identity, from string) (Session, error) {
	if id.Issuer == "" || !isSubject(id.Subject) {
		return Session{}, errors.New("signing in: the identity has no issuer, or its subject is not 1 to 255 characters of text")
	}
	var session Session
	for {
		actor, err := s.externalActor(ctx, id, from)
		if err == nil {
			session, err = s.signInAs(ctx, id, actor)
		}
		switch {
		case errors.Is(err, errRenamed):
			continue // somebody took the name at this moment; there are as many tries as people
		case err != nil:
			return Session{}, fmt.Errorf("signing in: %w", err)
		}
		return session, nil
	}
}

// errRenamed: the actor's name is not that of the account any more.
var errRenamed = errors.New("the name of the account was taken")

// externalActor returns who it is in the audit: by the name of the account, not
// by what the person is called today.
func (s *Store) externalActor(ctx context.Context, id Identity, from string) (actor control.Actor, err error) {
	err = s.db.View(ctx, func(tx *control.Tx) error {
		a, exists, err := find(ctx, tx, `a.issuer = ? AND a.subject = ?`, id.Issuer, id.Subject)
		if err == nil && !exists {
			a.Name, err = newName(ctx, tx, id)
		}
		actor = control.Actor{Name: a.Name, Role: id.Role, Tenant: id.Tenant, From: from}
		return err
	})
	return actor, err
}

func (s *Store) signInAs(ctx context.Context, id Identity, actor control.Actor) (session Session, err error) {
	var refused *RefusedError
	err = s.db.Update(ctx, actor, func(tx *control.Tx) error {
		a, exists, err := find(ctx, tx, `a.issuer = ? AND a.subject = ?`, id.Issuer, id.Subject)
		if err != nil {
			return err
		}
		if !exists {
			if a.Name, err = newName(ctx, tx, id); err != nil {
				return err
			}
		}
		if a.Name != actor.Name {
			return errRenamed
		}
		if refused, err = refusal(ctx, tx, a, id); err != nil {
			return err
		}
		if refused != nil {
			return tx.Audit(ctx, KindSession, a.Tenant, a.Name, ChangeRefused, set("reason", refused.Reason))
		}
		if exists {
			a, err = refresh(ctx, tx, a, id)
		} else {
			doc := Document{Name: a.Name, DisplayName: externalDisplayName(id), Role: id.Role, Tenant: id.Tenant}
			a, err = create(ctx, tx, Account{Document: doc, Issuer: id.Issuer, Subject: id.Subject})
		}
		if err != nil {
			return err
		}
		session, err = startSession(ctx, tx, a, actor.From)
		return err
	})
	if err == nil && refused != nil {
		err = refused
	}
	return session, err
}

// isSubject: OpenID Connect Core, section 2, allows 255 ASCII characters.
func isSubject(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// refusal says why a person is not let in, nil if they are.
func refusal(ctx context.Context, tx *control.Tx, a Account, id Identity) (*RefusedError, error) {
	if a.Disabled {
		return &RefusedError{"your account is disabled; ask your administrator"}, nil
	}
	problems := checkRole(id.Role, id.Tenant)
	if len(problems) == 0 {
		if err := checkTenant(ctx, tx, id.Tenant); err != nil && !errors.As(err, &problems) {
			return nil, err
		}
	}
	if len(problems) == 0 {
		return nil, nil
	}
	return &RefusedError{problems[0].Path + ": " + problems[0].Message + "; ask your administrator"}, nil
}

// refresh takes over what the provider says today.
func refresh(ctx context.Context, tx *control.Tx, before Account, id Identity) (Account, error) {
	after := before
	after.DisplayName, after.Role, after.Tenant = externalDisplayName(id), id.Role, id.Tenant
	fields := diff(before, after)
	if len(fields) == 0 {
		return before, nil
	}
	after.Revision, after.UpdatedAt = before.Revision+1, tx.Now()
	if err := save(ctx, tx, after); err != nil {
		return before, err
	}
	if before.Role != after.Role || before.Tenant != after.Tenant {
		ended, err := dropAccess(ctx, tx, after)
		if err != nil {
			return before, err
		}
		fields = append(fields, ended...)
	}
	return after, auditUpdate(ctx, tx, before, after, fields)
}

// newName returns the name of an account that is to be made. A name is one person
// in the audit: that of somebody else is not given again.
func newName(ctx context.Context, tx *control.Tx, id Identity) (string, error) {
	sum := sha256.Sum256([]byte(id.Issuer + "\x00" + id.Subject))
	other := externalPrefix + hex.EncodeToString(sum[:8])
	if _, ok := checkNewName(id.Name); !ok {
		return other, nil
	}
	_, taken, err := byName(ctx, tx, id.Name)
	if taken {
		return other, err
	}
	return id.Name, err
}

func externalDisplayName(id Identity) string {
	if _, ok := checkDisplayName(id.DisplayName); ok {
		return id.DisplayName
	}
	return ""
}

// RefusedExternal writes to the audit that an identity provider's answer was
// refused before it was known who comes. It counts for the address, and is
// throttled like a failed sign-in.
func (s *Store) RefusedExternal(ctx context.Context, from, reason string) error {
	try := attempt{account: "external", here: "external", strange: "external", address: addressSubject(from)}
	var refused ThrottledError
	err := s.db.Update(ctx, anonymous(from), func(tx *control.Tx) (err error) {
		if refused.After, _, err = try.wait(ctx, tx); err != nil || refused.After > 0 {
			return err
		}
		if err := try.countAddress(ctx, tx); err != nil {
			return err
		}
		return tx.Audit(ctx, KindSession, "", unknown, ChangeRefused, set("reason", reason))
	})
	if err == nil && refused.After > 0 {
		err = &refused
	}
	if err != nil {
		return fmt.Errorf("noting a refused sign-in: %w", err)
	}
	return nil
}
