package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/mailyard/mailyard/pkg/control"
)

// Sessions returns the sessions of an account, the latest first: of the own one,
// or of one that the actor manages.
func (s *Store) Sessions(ctx context.Context, actor control.Actor, account string) (list []Session, err error) {
	err = s.db.View(ctx, func(tx *control.Tx) error {
		a, err := visible(ctx, tx, actor, account)
		if err != nil {
			return err
		}
		list, err = sessionsOf(ctx, tx, a)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing sessions of account %.80s: %w", account, err)
	}
	return list, nil
}

func sessionsOf(ctx context.Context, tx *control.Tx, a Account) (list []Session, err error) {
	err = tx.Each(ctx, func(scan func(...any) error) error {
		one, _, err := scanSession(scan)
		if err == nil && !one.over(tx.Now()) {
			list = append(list, one)
		}
		return err
	}, `SELECT `+sessionColumns+` FROM account_sessions s JOIN accounts a ON a.name_key = s.account WHERE s.account = ? ORDER BY s.created_at DESC, s.id`, a.key)
	return list, err
}

// RevokeSession ends a session of the own account, or of one that the actor manages.
func (s *Store) RevokeSession(ctx context.Context, actor control.Actor, id string) error {
	err := s.db.Update(ctx, actor, func(tx *control.Tx) error {
		if err := inPerson(actor); err != nil {
			return err
		}
		if !isID(id) {
			return control.ErrNotFound
		}
		found, _, err := scanSession(func(into ...any) error {
			return tx.Row(ctx, `SELECT `+sessionColumns+` FROM account_sessions s JOIN accounts a ON a.name_key = s.account WHERE s.id = ?`, []any{id}, into...)
		})
		if errors.Is(err, sql.ErrNoRows) {
			return control.ErrNotFound
		}
		if err != nil {
			return err
		}
		if err := maySee(actor, found.Account); err != nil {
			return err
		}
		return endSession(ctx, tx, found, ChangeRevoked)
	})
	if err != nil {
		return fmt.Errorf("revoking session %.80s: %w", id, err)
	}
	return nil
}

// RevokeSessions ends all sessions of an account, but the one to keep ("" for
// none), and returns how many.
func (s *Store) RevokeSessions(ctx context.Context, actor control.Actor, account, keep string) (n int, err error) {
	err = s.db.Update(ctx, actor, func(tx *control.Tx) error {
		if err := inPerson(actor); err != nil {
			return err
		}
		a, err := visible(ctx, tx, actor, account)
		if err != nil {
			return err
		}
		list, err := sessionsOf(ctx, tx, a)
		if err != nil {
			return err
		}
		for _, one := range list {
			if one.ID == keep {
				continue
			}
			if err := endSession(ctx, tx, one, ChangeRevoked); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("revoking sessions of account %.80s: %w", account, err)
	}
	return n, nil
}
