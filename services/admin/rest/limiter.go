package rest

import (
	"net/http"
	"sync"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// requestsAtOnce is how many requests of one actor are handled at once. How many
// examinations are under way is bounded by the desk, over all replicas.
const requestsAtOnce = 32

// A limiter bounds how many requests of one actor are handled at once, so that
// one program that runs wild leaves room for the others. It protects this
// process, and knows of no other: with several admin services one actor has as
// many places at each.
type limiter struct {
	mu      *sync.Mutex
	running map[string]int
}

func newLimiter() limiter { return limiter{mu: &sync.Mutex{}, running: map[string]int{}} }

// acquire takes a place of an actor; release gives it back.
func (l limiter) acquire(actor string) (release func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running[actor] >= requestsAtOnce {
		return nil, &busyError{operation.Refusal(http.StatusTooManyRequests, "more than %d requests are under way for you; wait until one of them ends", requestsAtOnce)}
	}
	l.running[actor]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.running[actor]--; l.running[actor] == 0 {
			delete(l.running, actor)
		}
	}, nil
}

// A busyError may be gone a moment later.
type busyError struct{ *operation.Problem }

func (e *busyError) Unwrap() error { return e.Problem }
