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
	c := &counter{}
	if err := r.tallies(ctx, tenant, c); err != nil {
		return mailstore.Stats{}, fmt.Errorf("counting mail: %w", err)
	}
	if err := r.undisposed(ctx, tenant, c); err != nil {
		return mailstore.Stats{}, fmt.Errorf("counting undisposed mail: %w", err)
	}
	slices.SortFunc(c.mailboxes, func(a, b mailstore.MailboxStats) int {
		return cmp.Or(cmp.Compare(a.Tenant, b.Tenant), cmp.Compare(a.Mailbox, b.Mailbox))
	})
	return mailstore.Stats{Mailboxes: c.mailboxes}, nil
}

// A counter finds the statistics of a mailbox.
type counter struct {
	mailboxes []mailstore.MailboxStats
}

func (c *counter) of(tenant, mailbox string) *mailstore.MailboxStats {
	for i := range c.mailboxes {
		if m := &c.mailboxes[i]; m.Tenant == tenant && m.Mailbox == mailbox {
			return m
		}
	}
	c.mailboxes = append(c.mailboxes, mailstore.MailboxStats{Tenant: tenant, Mailbox: mailbox, Invalid: map[schemas.Reason]int64{}})
	return &c.mailboxes[len(c.mailboxes)-1]
}

func (r *Reader) tallies(ctx context.Context, tenant string, c *counter) error {
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
	}, `SELECT tenant, mailbox, verdict, reason, CAST(sum(mails) AS bigint), CAST(sum(bytes) AS bigint),
		CAST(sum(CASE WHEN day = $1 THEN mails ELSE 0 END) AS bigint), max(last_persisted_at)
		FROM tallies`+ofTenant(tenant, "WHERE tenant = $2")+` GROUP BY tenant, mailbox, verdict, reason`,
		ofTenantArgs(tenant, r.dialect.Day(time.Now().UTC()))...)
}

func (r *Reader) undisposed(ctx context.Context, tenant string, c *counter) error {
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
