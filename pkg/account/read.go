package account

import (
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/control"
)

// Accounts returns the accounts that the actor may see, by name: a reader only
// the own one.
func (s *Store) Accounts(ctx context.Context, actor control.Actor) (list []Account, err error) {
	err = s.db.View(ctx, func(tx *control.Tx) error {
		return tx.Each(ctx, func(scan func(...any) error) error {
			var r row
			if err := scan(r.into()...); err != nil {
				return err
			}
			a, err := r.account()
			if err == nil && maySee(actor, a) == nil {
				list = append(list, a)
			}
			return err
		}, `SELECT `+accountColumns+` FROM accounts a ORDER BY a.name_key`)
	})
	if err != nil {
		return nil, fmt.Errorf("listing accounts: %w", err)
	}
	return list, nil
}

// Account returns an account that the actor may see; control.ErrNotFound otherwise.
func (s *Store) Account(ctx context.Context, actor control.Actor, name string) (a Account, err error) {
	err = s.db.View(ctx, func(tx *control.Tx) error {
		a, err = visible(ctx, tx, actor, name)
		return err
	})
	if err != nil {
		return Account{}, fmt.Errorf("reading account %.80s: %w", name, err)
	}
	return a, nil
}

// visible returns an account that the actor may see.
func visible(ctx context.Context, tx *control.Tx, actor control.Actor, name string) (Account, error) {
	return permitted(ctx, tx, actor, name, maySee)
}

// managed returns an account that the actor may change.
func managed(ctx context.Context, tx *control.Tx, actor control.Actor, name string) (Account, error) {
	return permitted(ctx, tx, actor, name, mayManage)
}

func permitted(ctx context.Context, tx *control.Tx, actor control.Actor, name string, may func(control.Actor, Account) error) (Account, error) {
	a, ok, err := byName(ctx, tx, name)
	switch {
	case err != nil:
		return Account{}, err
	case !ok:
		return Account{}, control.ErrNotFound
	}
	return a, may(actor, a)
}
