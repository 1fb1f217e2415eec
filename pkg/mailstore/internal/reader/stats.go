package reader

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// Stats implements mailstore.Store.
func (r *Reader) Stats(ctx context.Context, tenant string) (mailstore.Stats, error) {
	tenant = cleanText(tenant)
	c := counter{}
	if err := r.totals(ctx, tenant, c); err != nil {
		return mailstore.Stats{}, fmt.Errorf("counting mail: %w", err)
	}
	if err := r.undisposed(ctx, tenant, c); err != nil {
		return mailstore.Stats{}, fmt.Errorf("counting undisposed mail: %w", err)
	}
	s := mailstore.Stats{Mailboxes: make([]mailstore.MailboxStats, 0, len(c))}
	for _, m := range c {
		s.Mailboxes = append(s.Mailboxes, *m)
	}
	slices.SortFunc(s.Mailboxes, func(a, b mailstore.MailboxStats) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Mailbox, b.Mailbox))
	})
	return s, nil
}

// A counter finds the statistics of a mailbox.
type counter map[[2]string]*mailstore.MailboxStats

func (c counter) of(tenant, mailbox string) *mailstore.MailboxStats {
	key := [2]string{tenant, mailbox}
	m := c[key]
	if m == nil {
		m = &mailstore.MailboxStats{Tenant: tenant, Mailbox: mailbox, Invalid: map[schemas.Reason]int64{}}
		c[key] = m
	}
	return m
}

// totals reads what was ever counted: a row per mailbox, verdict and reason,
// however many days there are.
func (r *Reader) totals(ctx context.Context, tenant string, c counter) error {
	return r.query(ctx, func(rows *sql.Rows) error {
		var id, mailbox string
		var verdict schemas.Verdict
		var reason schemas.Reason
		var mails, bytes, today int64
		var last time.Time
		if err := rows.Scan(&id, &mailbox, &verdict, &reason, &mails, &bytes, &today, present{&last}); err != nil {
			return err
		}
		m := c.of(id, mailbox)
		m.Bytes += bytes
		if last.After(m.LastPersisted) {
			m.LastPersisted = last
		}
		if verdict == schemas.Invalid {
			m.Invalid[reason] += mails
			m.InvalidToday += today
		} else {
			m.Accepted += mails
			m.AcceptedToday += today
		}
		return nil
	}, `SELECT tenant, mailbox, verdict, reason, mails, bytes, CASE WHEN day = $1 THEN day_mails ELSE 0 END, last_persisted_at
		FROM totals`+ofTenant(tenant, "WHERE tenant = $2"), ofTenantArgs(tenant, r.dialect.Day(time.Now().UTC()))...)
}

func (r *Reader) undisposed(ctx context.Context, tenant string, c counter) error {
	return r.query(ctx, func(rows *sql.Rows) error {
		var id, mailbox string
		var n int64
		var oldest *time.Time
		if err := rows.Scan(&id, &mailbox, &n, instant{&oldest}); err != nil {
			return err
		}
		m := c.of(id, mailbox)
		m.Undisposed, m.OldestUndisposed = n, oldest
		return nil
	}, `SELECT tenant, mailbox, count(*), min(persisted_at) FROM undisposed`+
		ofTenant(tenant, "WHERE tenant = $1")+` GROUP BY tenant, mailbox`, ofTenantArgs(tenant)...)
}

// Undisposed implements mailstore.Store.
func (r *Reader) Undisposed(ctx context.Context, tenant, mailbox string) (mails int64, oldest *time.Time, err error) {
	err = r.one(ctx, func(rows *sql.Rows) error { return rows.Scan(&mails, instant{&oldest}) },
		`SELECT count(*), min(persisted_at) FROM undisposed WHERE tenant = $1 AND mailbox = $2`, cleanText(tenant), cleanText(mailbox))
	if err != nil {
		return 0, nil, fmt.Errorf("counting undisposed mail of %s/%s: %w", tenant, mailbox, err)
	}
	return mails, oldest, nil
}

// ofTenant returns the condition unless the tenant is "", which is all of them.
func ofTenant(tenant, condition string) string {
	if tenant == "" {
		return ""
	}
	return " " + condition
}

// ofTenantArgs appends the argument of that condition.
func ofTenantArgs(tenant string, args ...any) []any {
	if tenant == "" {
		return args
	}
	return append(args, tenant)
}
