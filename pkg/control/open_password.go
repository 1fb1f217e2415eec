package control

import (
	"context"
	"fmt"

	"github.com/mailyard/mailyard/pkg/secret"
)

// OpenPassword returns the password of a mailbox, to sign in at its own servers
// with. It is for those who may change the mailbox, and never shown to them.
func (s *Store) OpenPassword(ctx context.Context, actor Actor, tenant, id string) (password secret.String, err error) {
	if err := actor.mayWrite(tenant); err != nil {
		return password, err
	}
	err = s.read(ctx, func(q querier) error {
		t, ok, err := q.tenant(ctx, tenant)
		if err != nil || !ok {
			return orNotFound(err, "reading", tenantTarget(tenant))
		}
		m, ok, err := q.mailbox(ctx, tenant, id)
		if err != nil || !ok {
			return orNotFound(err, "reading", mailboxTarget(tenant, id))
		}
		if !m.HasPassword {
			return ErrNoPassword
		}
		w := &writer{querier: q, store: s, actor: actor}
		key, err := w.key(t)
		if err != nil {
			return err
		}
		password, err = key.Open(tenant, id, m.password)
		return err
	})
	if err != nil {
		return password, fmt.Errorf("opening the password of %s/%s: %w", tenant, id, err)
	}
	return password, nil
}
