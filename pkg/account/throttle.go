package account

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
)

// How often one may fail to sign in. Nothing is locked for good: who has the
// password gets in, at worst after the longest delay.
const (
	freeFailures    = 5                // of an account, without a delay
	firstDelay      = 10 * time.Second // of an account; it doubles with every further failure
	longestDelay    = 15 * time.Minute
	accountMemory   = time.Hour // failures of an account are forgotten so long after the last delay
	addressFailures = 20        // of an address in
	addressWindow   = 10 * time.Minute
)

// noteEvery is how often the audit tells that attempts are refused for their number.
const noteEvery = time.Minute

// An attempt is somebody who wants to sign in as somebody, from somewhere.
type attempt struct {
	account, address string // keys of what is counted
}

func newAttempt(name, from string) attempt {
	return attempt{account: accountSubject(name), address: addressSubject(from)}
}

// accountSubject is the same for unknown names as for those of accounts, or the
// delay would tell them apart. It is a short hash: what was typed as the name may
// be a password, and of 20 bits it cannot be guessed back. That two names share a
// delay once in a million is the price.
func accountSubject(name string) string {
	if _, ok := checkName(name); ok {
		name = control.UsernameKey(name)
	}
	sum := sha256.Sum256([]byte(name))
	return "account " + hex.EncodeToString(sum[:3])[:5]
}

// addressSubject is an address; of IPv6, the network of one customer (RFC 6177).
func addressSubject(from string) string {
	a, err := netip.ParseAddr(from)
	if port, e := netip.ParseAddrPort(from); e == nil {
		a, err = port.Addr(), nil
	}
	if err != nil {
		return "address other" // of a caller that knows none
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		p, _ := a.Prefix(64) // no error: it has 128 bits
		return "address " + p.String()
	}
	return "address " + a.String()
}

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

// wait returns how long the attempt has to wait, 0 if it may go on, and whether
// the audit is to tell that it was refused.
func (a attempt) wait(ctx context.Context, tx *control.Tx) (wait time.Duration, note bool, err error) {
	for _, subject := range []string{a.account, a.address} {
		f, err := loadFailures(ctx, tx, subject)
		if err != nil {
			return 0, false, err
		}
		if left := f.blockedUntil.Sub(tx.Now()); left > 0 {
			wait = max(wait, left)
			note = note || tx.Now().Sub(f.auditedAt) >= noteEvery
		}
	}
	return (wait + time.Second - 1).Truncate(time.Second), note, nil
}

// noted marks the refusal as told.
func (a attempt) noted(ctx context.Context, tx *control.Tx) error {
	for _, subject := range []string{a.account, a.address} {
		f, err := loadFailures(ctx, tx, subject)
		if err != nil {
			return err
		}
		if f.count == 0 {
			continue
		}
		f.auditedAt = tx.Now()
		if err := f.save(ctx, tx, subject); err != nil {
			return err
		}
	}
	return nil
}

// begin counts the attempt as a failure, before the password is looked at: of a
// thousand attempts at once, no more pass than one after the other.
func (a attempt) begin(ctx context.Context, tx *control.Tx) error {
	now := tx.Now()
	account, err := loadFailures(ctx, tx, a.account)
	if err != nil {
		return err
	}
	account.count++
	account.blockedUntil = now.Add(accountDelay(account.count))
	account.forgetAt = account.blockedUntil.Add(accountMemory)
	if err := account.save(ctx, tx, a.account); err != nil {
		return err
	}
	return a.countAddress(ctx, tx)
}

// countAddress counts a failure of the address.
func (a attempt) countAddress(ctx context.Context, tx *control.Tx) error {
	now := tx.Now()
	address, err := loadFailures(ctx, tx, a.address)
	if err != nil {
		return err
	}
	address.count++
	if address.count == 1 {
		address.forgetAt = now.Add(addressWindow)
	}
	if address.count >= addressFailures {
		address.forgetAt = now.Add(addressWindow)
		address.blockedUntil = address.forgetAt
	}
	return address.save(ctx, tx, a.address)
}

// accountDelay is how long an account waits after so many failures.
func accountDelay(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	return min(longestDelay, firstDelay<<min(failures-freeFailures, 10))
}

// succeeded takes the count back. Of the address, only that of this attempt:
// whoever has one password could try others without end.
func (a attempt) succeeded(ctx context.Context, tx *control.Tx) error {
	if _, err := tx.Exec(ctx, `DELETE FROM account_failures WHERE subject = ?`, a.account); err != nil {
		return fmt.Errorf("forgetting failed attempts: %w", err)
	}
	f, err := loadFailures(ctx, tx, a.address)
	if err != nil || f.count == 0 {
		return err
	}
	if f.count--; f.count < addressFailures {
		f.blockedUntil = time.Time{}
	}
	return f.save(ctx, tx, a.address)
}
