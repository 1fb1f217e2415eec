package operation

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/doctor"
)

// Limits of examinations, through whichever door and with whichever API token:
// each speaks with mail servers for up to 90 seconds.
const (
	examinationsOfTenant = 4
	examinationsAtOnce   = 16 // of all tenants
)

// Limits of failed sign-ins: examinations are no means to guess passwords, nor
// to have a provider lock mailyard out.
const (
	failuresOfHost   = 10 // of a tenant at one mail server
	failuresOfTenant = 50 // at all of them: a server may have many names
	failuresKept     = 10 * time.Minute
)

// examinations bounds what a desk examines. It knows of this process only:
// several admin services count each for themselves, and a restart forgets.
type examinations struct {
	mu       sync.Mutex
	total    int
	running  map[string]int         // by tenant
	ended    chan struct{}          // closed when a place becomes free; nil: nobody waits
	failures map[server][]time.Time // the oldest first
}

// A server is a mail server as a tenant names it; without a host all of them.
type server struct{ tenant, host string }

func serverOf(tenant, host string) server {
	return server{tenant, strings.TrimSuffix(strings.ToLower(strings.TrimSpace(host)), ".")}
}

// An examination is one that is under way.
type examination struct {
	of  *examinations
	doc config.Mailbox
}

// begin takes a place for an examination of the servers of a mailbox, which end
// gives back.
func (e *examinations) begin(doc config.Mailbox) (*examination, error) {
	x, _, err := e.try(doc)
	return x, err
}

// wait is begin that waits until there is a place.
func (e *examinations) wait(ctx context.Context, doc config.Mailbox) (*examination, error) {
	for {
		x, ended, err := e.try(doc)
		if ended == nil {
			return x, err
		}
		select {
		case <-ended:
		case <-ctx.Done():
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// try takes a place. Where there is none, ended is closed when one may be free.
func (e *examinations) try(doc config.Mailbox) (x *examination, ended <-chan struct{}, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for _, s := range []server{serverOf(doc.Tenant, doc.IMAP.Host), serverOf(doc.Tenant, doc.SMTP.Host), {tenant: doc.Tenant}} {
		most := failuresOfHost
		if s.host == "" {
			most = failuresOfTenant
		}
		if failed := e.forget(s, now); len(failed) >= most {
			after := failed[len(failed)-most].Add(failuresKept).Sub(now)
			return nil, nil, tooMany(after, "too many sign-ins of examinations failed lately; try again in %d minutes", int((after+time.Minute-1)/time.Minute))
		}
	}
	if e.total >= examinationsAtOnce || e.running[doc.Tenant] >= examinationsOfTenant {
		if e.ended == nil {
			e.ended = make(chan struct{})
		}
		return nil, e.ended, tooMany(5*time.Second, "too many examinations are under way; wait until one of them ends")
	}
	if e.running == nil {
		e.running = map[string]int{}
	}
	e.total++
	e.running[doc.Tenant]++
	return &examination{e, doc}, nil, nil
}

func tooMany(after time.Duration, format string, args ...any) *Problem {
	p := problem(http.StatusTooManyRequests, nil, format, args...)
	p.RetryAfter = after
	return p
}

// forget drops the failures that are long ago, and returns those that are not.
func (e *examinations) forget(s server, now time.Time) []time.Time {
	failed := slices.DeleteFunc(e.failures[s], func(at time.Time) bool { return now.Sub(at) >= failuresKept })
	if len(failed) == 0 {
		delete(e.failures, s)
		return nil
	}
	e.failures[s] = failed
	return failed
}

// end gives the place back.
func (x *examination) end() {
	e := x.of
	e.mu.Lock()
	defer e.mu.Unlock()
	e.total--
	if e.running[x.doc.Tenant]--; e.running[x.doc.Tenant] == 0 {
		delete(e.running, x.doc.Tenant)
	}
	if e.ended != nil {
		close(e.ended)
		e.ended = nil
	}
}

// note counts the sign-ins that failed.
func (x *examination) note(steps ...doctor.Step) {
	for _, s := range steps {
		switch {
		case s.Outcome != doctor.Failed:
		case s.ID == doctor.StepSignIn:
			x.of.failed(x.doc.Tenant, x.doc.IMAP.Host)
		case s.ID == doctor.StepSMTPSignIn:
			x.of.failed(x.doc.Tenant, x.doc.SMTP.Host)
		}
	}
}

// noteError is note for the step that an error tells of.
func (x *examination) noteError(err error) {
	var failed *doctor.StepError
	if errors.As(err, &failed) {
		x.note(failed.Step)
	}
}

func (e *examinations) failed(tenant, host string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	for s := range e.failures {
		e.forget(s, now)
	}
	if e.failures == nil {
		e.failures = map[server][]time.Time{}
	}
	for _, s := range []server{serverOf(tenant, host), {tenant: tenant}} {
		e.failures[s] = append(e.failures[s], now)
	}
}
