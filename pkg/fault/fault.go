package fault

import (
	"errors"
	"time"
)

type permanent struct{ err error }

func (p permanent) Error() string { return p.err.Error() }
func (p permanent) Unwrap() error { return p.err }

// Permanent marks an error that no retry will mend. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether the error, or one that it wraps, is permanent.
func IsPermanent(err error) bool {
	var p permanent
	return errors.As(err, &p)
}

// Unavailable marks an error that says nothing about the work at hand: a
// server that the whole stage needs is away. The stage waits and tries the same
// work again, without counting an attempt. Unavailable(nil) is nil.
func Unavailable(err error) error {
	if err == nil {
		return nil
	}
	return unavailable{err}
}

type unavailable struct{ err error }

func (u unavailable) Error() string { return u.err.Error() }
func (u unavailable) Unwrap() error { return u.err }

// IsUnavailable reports whether the error, or one that it wraps, is of a server that is away.
func IsUnavailable(err error) bool {
	var u unavailable
	return errors.As(err, &u)
}

// A Delayed error is retryable, but not before After has passed: the other
// side said so.
type Delayed struct {
	Err   error
	After time.Duration
}

func (d *Delayed) Error() string { return d.Err.Error() }
func (d *Delayed) Unwrap() error { return d.Err }

// RetryAfter returns the wait that the other side asked for, and whether it did.
func RetryAfter(err error) (time.Duration, bool) {
	var d *Delayed
	if errors.As(err, &d) {
		return d.After, true
	}
	return 0, false
}
