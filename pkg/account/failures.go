package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
)

// failures is what is known of a subject. The zero value: nothing.
type failures struct {
	count        int
	blockedUntil time.Time
	forgetAt     time.Time
	auditedAt    time.Time
}

func loadFailures(ctx context.Context, tx *control.Tx, subject string) (f failures, err error) {
	var blocked, forget, audited string
	err = tx.Row(ctx, `SELECT failures, blocked_until, forget_at, audited_at FROM account_failures WHERE subject = ?`, []any{subject}, &f.count, &blocked, &forget, &audited)
	if errors.Is(err, sql.ErrNoRows) {
		return failures{}, nil
	}
	if err == nil {
		err = parseTimes(blocked, &f.blockedUntil, forget, &f.forgetAt, audited, &f.auditedAt)
	}
	if err != nil {
		return failures{}, fmt.Errorf("reading failed attempts: %w", err)
	}
	if !tx.Now().Before(f.forgetAt) {
		return failures{}, nil
	}
	return f, nil
}

func (f failures) save(ctx context.Context, tx *control.Tx, subject string) error {
	_, err := tx.Exec(ctx, `INSERT INTO account_failures (subject, failures, blocked_until, forget_at, audited_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (subject) DO UPDATE SET failures = excluded.failures, blocked_until = excluded.blocked_until, forget_at = excluded.forget_at, audited_at = excluded.audited_at`,
		subject, f.count, control.FormatTime(f.blockedUntil), control.FormatTime(f.forgetAt), control.FormatTime(f.auditedAt))
	if err != nil {
		return fmt.Errorf("counting failed attempts: %w", err)
	}
	return nil
}
