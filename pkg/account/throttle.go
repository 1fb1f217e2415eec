package account

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
)

// How often one may fail to sign in. Nothing is locked for good, and nobody is kept
// out where they signed in lately by who fails elsewhere.
const (
	freeFailures    = 5                // of an account at an address, without a delay
	firstDelay      = 10 * time.Second // of an account at an address; it doubles with every further failure
	longestDelay    = 15 * time.Minute
	accountMemory   = time.Hour // failures of an account at an address are forgotten so long after the last delay
	accountFailures = 100       // of an account in, wherever it is not at home: many addresses
	accountWindow   = time.Hour
	homeMemory      = 30 * 24 * time.Hour // an address is forgotten so long after the account signed in there
	addressFailures = 20                  // of an address in
	addressWindow   = 10 * time.Minute
)

// noteEvery is how often the audit tells that attempts are refused for their number.
const noteEvery = time.Minute

// An attempt is somebody who wants to sign in as somebody, from somewhere. Each
// field is a subject whose failures are counted.
type attempt struct {
	account string
	here    string // the account at this address; alone counts if it has signed in here before
	strange string // the account at this address, if it has not
	address string
}

func newAttempt(name, from string) attempt {
	a := attempt{account: accountSubject(name), address: addressSubject(from)}
	a.here = a.account + " at " + a.address
	a.strange = a.here + ", a stranger"
	return a
}

// subjects returns those whose failures hold the attempt up; the first one counts
// it. Where the account is at home, that is the account there, apart from the rest
// of the world. Elsewhere strangers who keep failing delay those at their address,
// and only many of them, at many addresses, those at others: whoever knows just the
// name keeps nobody out.
func (a attempt) subjects(ctx context.Context, tx *control.Tx) ([]string, error) {
	here, err := loadFailures(ctx, tx, a.here)
	if err != nil {
		return nil, err
	}
	if here.forgetAt.IsZero() {
		return []string{a.strange, a.account, a.address}, nil
	}
	return []string{a.here}, nil
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

// wait returns how long the attempt has to wait, 0 if it may go on, and whether
// the audit is to tell that it was refused.
func (a attempt) wait(ctx context.Context, tx *control.Tx) (wait time.Duration, note bool, err error) {
	subjects, err := a.subjects(ctx, tx)
	if err != nil {
		return 0, false, err
	}
	for _, subject := range subjects {
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
	subjects, err := a.subjects(ctx, tx)
	if err != nil {
		return err
	}
	for _, subject := range subjects {
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
	subjects, err := a.subjects(ctx, tx)
	if err != nil {
		return err
	}
	f, err := loadFailures(ctx, tx, subjects[0])
	if err != nil {
		return err
	}
	f.count++
	f.blockedUntil = tx.Now().Add(accountDelay(f.count))
	f.forgetAt = latest(f.forgetAt, f.blockedUntil.Add(accountMemory))
	if err := f.save(ctx, tx, subjects[0]); err != nil {
		return err
	}
	if subjects[0] == a.strange {
		if err := countWithin(ctx, tx, a.account, accountFailures, accountWindow); err != nil {
			return err
		}
	}
	return a.countAddress(ctx, tx)
}

// countAddress counts a failure of the address.
func (a attempt) countAddress(ctx context.Context, tx *control.Tx) error {
	return countWithin(ctx, tx, a.address, addressFailures, addressWindow)
}

// countWithin counts a failure of a subject that may have so many in a window.
func countWithin(ctx context.Context, tx *control.Tx, subject string, most int, window time.Duration) error {
	f, err := loadFailures(ctx, tx, subject)
	if err != nil {
		return err
	}
	f.count++
	if f.count == 1 || f.count >= most {
		f.forgetAt = tx.Now().Add(window)
	}
	if f.count >= most {
		f.blockedUntil = f.forgetAt
	}
	return f.save(ctx, tx, subject)
}

// takeBack takes a failure back that countWithin counted.
func takeBack(ctx context.Context, tx *control.Tx, subject string, most int) error {
	f, err := loadFailures(ctx, tx, subject)
	if err != nil || f.count == 0 {
		return err
	}
	if f.count--; f.count < most {
		f.blockedUntil = time.Time{}
	}
	return f.save(ctx, tx, subject)
}

// accountDelay is how long an account waits at an address after so many failures.
func accountDelay(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	return min(longestDelay, firstDelay<<min(failures-freeFailures, 10))
}

// succeeded takes the count back, and notes that the account is at home here. Of
// the address and of the account elsewhere, only that of this attempt: whoever has one password could try
// others without end.
func (a attempt) succeeded(ctx context.Context, tx *control.Tx) error {
	subjects, err := a.subjects(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `DELETE FROM account_failures WHERE subject = ?`, subjects[0]); err != nil {
		return fmt.Errorf("forgetting failed attempts: %w", err)
	}
	if err := (failures{forgetAt: tx.Now().Add(homeMemory)}).save(ctx, tx, a.here); err != nil {
		return err
	}
	if subjects[0] == a.strange {
		if err := takeBack(ctx, tx, a.account, accountFailures); err != nil {
			return err
		}
	}
	return takeBack(ctx, tx, a.address, addressFailures)
}

// forgetFailures forgets what was counted for an account, wherever.
func forgetFailures(ctx context.Context, tx *control.Tx, name string) error {
	subject := accountSubject(name)
	if _, err := tx.Exec(ctx, `DELETE FROM account_failures WHERE subject = ? OR subject LIKE ?`, subject, subject+" at %"); err != nil {
		return fmt.Errorf("forgetting failed attempts: %w", err)
	}
	return nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
