package persister

import (
	"errors"
	"sync"
	"time"

	"github.com/mailyard/mailyard/pkg/fault"
)

const (
	// openTime is how long a database that was away is left alone.
	openTime = 30 * time.Second
	// awayTime is when mail of it is tried again. It is longer, so that one call
	// has found out by then.
	awayTime = time.Minute
)

var errAway = errors.New("the messaging database is away and not asked for a while")

// A breaker keeps a database that is away from taking the places and the time of
// the others' mails: it is asked once every openTime. The zero value lets calls
// pass. It is safe for concurrent use.
type breaker struct {
	mu      sync.Mutex
	until   time.Time // zero: closed
	probing bool      // whether a call finds out if the database is back
}

// do runs a call of the database, or returns that it is away, with the time to
// wait, as a fault.Unavailable.
func (b *breaker) do(call func() error) error {
	if !b.admit() {
		return fault.Unavailable(&fault.Delayed{Err: errAway, After: awayTime})
	}
	away := true // also when call panics
	defer func() { b.report(away) }()
	err := call()
	away = fault.IsUnavailable(err)
	return err
}

func (b *breaker) admit() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until.IsZero() {
		return true
	}
	if b.probing || time.Now().Before(b.until) {
		return false
	}
	b.probing = true
	return true
}

func (b *breaker) report(away bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing, b.until = false, time.Time{}
	if away {
		b.until = time.Now().Add(openTime)
	}
}
