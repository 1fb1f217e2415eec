package control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/secret"
)

// reentry is the problem of a change that keeps the stored password, but would
// send it elsewhere. Whoever may change a mailbox need not know its password,
// and must not learn it from a server of their own.
func reentry(before Mailbox, doc config.Mailbox) config.Problems {
	changed := config.NewDestination(before.Document, doc)
	if !before.HasPassword || len(changed) == 0 {
		return nil
	}
	return config.Problems{{Path: "password", Message: fmt.Sprintf(
		"must be entered again, because %s changed: a stored password goes only where it was entered for", strings.Join(changed, ", "))}}
}

// StoredPassword returns the password that is stored for a mailbox, to try the
// document with it before it is saved. As when it is saved, that takes the right
// to change the mailbox, and config.Problems ask for the password if the document
// would send it elsewhere, or if none is stored.
func (s *Store) StoredPassword(ctx context.Context, actor Actor, doc config.Mailbox) (password secret.String, err error) {
	if err := actor.mayWrite(doc.Tenant); err != nil {
		return password, err
	}
	if s.master == nil {
		return password, ErrNoMasterKey
	}
	name := mailboxTarget(doc.Tenant, doc.ID)
	var t Tenant
	var m Mailbox
	err = s.read(ctx, func(q querier) error {
		var exists bool
		if t, exists, err = q.tenant(ctx, doc.Tenant); err != nil || !exists {
			return orNotFound(err, "reading the password of "+name.String(), tenantTarget(doc.Tenant))
		}
		m, _, err = q.mailbox(ctx, doc.Tenant, doc.ID)
		return err
	})
	if err != nil {
		return password, err
	}
	if !m.HasPassword {
		return password, config.Problems{{Path: "password", Message: "is not set; enter it first"}}
	}
	if err := reentry(m, doc).Err(); err != nil {
		return password, err
	}
	key, err := s.master.TenantKey(doc.Tenant, t.wrappedKey)
	if err != nil {
		return password, err
	}
	password, err = key.Open(doc.Tenant, doc.ID, m.password)
	if errors.Is(err, secret.ErrUndecryptable) {
		err = config.Problems{{Path: "password", Message: "cannot be read; it must be entered again"}}
	}
	return password, err
}
