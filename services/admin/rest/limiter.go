package rest

import (
	"net/http"
	"sync"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// Limits of what is done at once.
const (
	requestsAtOnce     = 32 // of one actor
	examinationsAtOnce = 4  // of one actor: each takes seconds and speaks with a mail server
)

// A limiter bounds how many requests of one actor are handled at once, so that
// one program that runs wild leaves room for the others.
type limiter struct {
	mu      *sync.Mutex
	running map[string]int
}

func newLimiter() limiter { return limiter{mu: &sync.Mutex{}, running: map[string]int{}} }

// acquire takes a place of an actor; release gives it back.
func (l limiter) acquire(actor string) (release func(), err error) {
	return l.take(actor, requestsAtOnce)
}

// examine takes a place for an examination.
func (l limiter) examine(actor string) (release func(), err error) {
	return l.take("examination of "+actor, examinationsAtOnce)
}

func (l limiter) take(key string, most int) (release func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[key] >= most {
		return nil, &busyError{refusal(http.StatusTooManyRequests, "more than %d requests of this kind are under way for you; wait until one of them ends", most)}
	}
	l.running[key]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.running[key]--; l.running[key] == 0 {
			delete(l.running, key)
		}
	}, nil
}

// A busyError may be gone a moment later.
type busyError struct{ *operation.Problem }

func (e *busyError) Unwrap() error { return e.Problem }
