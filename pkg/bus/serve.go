package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.uber.org/zap"
)

// An Endpoint answers requests: a NATS micro service (ADR-32) with one endpoint.
// Replicas share the requests; each is handled by one of them.
type Endpoint struct {
	Service  string                     // name that discovery shows, such as "config"
	Version  string                     // any text
	Subject  string                     // may have wildcards, such as "config.v1.apply.*"
	Parallel int                        // requests handled at once; 0: 4
	Limit    time.Duration              // for one request; 0: 30 s
	MaxBytes int                        // of a request; 0: 256 KiB
	Refuse   func(r Refusal) (b []byte) // the answer to what is not handled
}

// A Request asks for something.
type Request struct {
	Subject string
	Header  map[string][]string // names as they were sent; see Request.Value
	Body    []byte
	reply   string
}

// Value returns the first value of a header, whatever case its name was sent
// in; "" when there is none.
func (r Request) Value(name string) string {
	for n, values := range r.Header {
		if strings.EqualFold(n, name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// A Refusal says why a request was not handled, or not to its end.
type Refusal string

// The refusals.
const (
	RefusedTooLarge Refusal = "too large" // the request has more than MaxBytes
	RefusedBusy     Refusal = "busy"      // too many wait already, or the replica is stopping: ask again
	RefusedFailed   Refusal = "failed"    // the handler panicked
	RefusedAnswer   Refusal = "answer"    // it was handled, and the answer is larger than a message may be
)

const (
	defaultParallel = 4
	defaultLimit    = 30 * time.Second
	defaultMaxBytes = 256 << 10
	// waitingPerWorker bounds the requests that wait: what waits longer than
	// its sender is worked on for nobody.
	waitingPerWorker = 4
)

func (e Endpoint) withDefaults() Endpoint {
	if e.Parallel <= 0 {
		e.Parallel = defaultParallel
	}
	if e.Limit <= 0 {
		e.Limit = defaultLimit
	}
	if e.MaxBytes <= 0 {
		e.MaxBytes = defaultMaxBytes
	}
	return e
}

// Serve answers requests until ctx ends; then it takes no more, lets those that
// are being handled end, each within its Limit, refuses those that wait, and
// returns nil. The context of handle ends after the Limit, not with ctx: what is
// begun is finished and answered. What handle returns is the answer.
//
// A request without a place to answer to, or with one that belongs to a service
// of ours, is dropped: our rights are not lent to who has fewer.
func (c *Conn) Serve(ctx context.Context, e Endpoint, handle func(ctx context.Context, r Request) []byte) error {
	if e.Refuse == nil {
		return fmt.Errorf("serving %s: nobody says what a refusal looks like", e.Subject)
	}
	e = e.withDefaults()
	s := &serving{
		conn: c, endpoint: e, handle: handle, logger: c.logger.With(zap.String("service", e.Service)),
		waiting: make(chan Request, e.Parallel*waitingPerWorker),
	}
	service, err := micro.AddService(c.nc, micro.Config{Name: e.Service, Version: semver(e.Version), Description: "mailyard " + e.Service})
	if err != nil {
		return fmt.Errorf("serving %s: %w", e.Subject, err)
	}
	if err := service.AddEndpoint(e.Service, micro.HandlerFunc(s.take), micro.WithEndpointSubject(e.Subject)); err != nil {
		return errors.Join(fmt.Errorf("serving %s: %w", e.Subject, err), service.Stop())
	}
	var workers sync.WaitGroup
	for range e.Parallel {
		workers.Go(func() { s.work(ctx) })
	}
	<-ctx.Done()
	err = service.Stop()
	s.stop()
	workers.Wait()
	if err != nil && !c.nc.IsClosed() {
		return fmt.Errorf("serving %s: stopping: %w", e.Subject, err)
	}
	return nil
}

// serving is one Serve.
type serving struct {
	conn     *Conn
	endpoint Endpoint
	handle   func(context.Context, Request) []byte
	logger   *zap.Logger

	mu      sync.Mutex
	stopped bool
	waiting chan Request // closed by stop
}

// take is called by the library for one request after the other.
func (s *serving) take(m micro.Request) {
	r := Request{Subject: m.Subject(), Header: m.Headers(), Body: m.Data(), reply: m.Reply()}
	switch {
	case !mayAnswer(r.reply):
		s.logger.Warn("a request cannot be answered where it says; it is dropped", zap.String("subject", r.Subject), zap.String("reply", r.reply))
	case len(r.Body) > s.endpoint.MaxBytes:
		s.answer(r, s.endpoint.Refuse(RefusedTooLarge))
	case !s.enqueue(r):
		s.answer(r, s.endpoint.Refuse(RefusedBusy))
	}
}

func (s *serving) enqueue(r Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	select {
	case s.waiting <- r:
		return true
	default:
		return false
	}
}

func (s *serving) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	close(s.waiting)
}

func (s *serving) work(ctx context.Context) {
	for r := range s.waiting {
		if ctx.Err() != nil { // nobody began with it, so another replica may
			s.answer(r, s.endpoint.Refuse(RefusedBusy))
			continue
		}
		s.answer(r, s.run(context.WithoutCancel(ctx), r))
	}
}

func (s *serving) run(ctx context.Context, r Request) (answer []byte) {
	ctx, cancel := context.WithTimeout(ctx, s.endpoint.Limit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			s.logger.Error("a request ended in a panic", zap.String("subject", r.Subject), zap.Any("panic", p), zap.Stack("stack"))
			answer = s.endpoint.Refuse(RefusedFailed)
		}
	}()
	return s.handle(ctx, r)
}

func (s *serving) answer(r Request, body []byte) {
	err := s.conn.nc.Publish(r.reply, body)
	if errors.Is(err, nats.ErrMaxPayload) {
		s.logger.Error("an answer is larger than NATS takes", zap.String("subject", r.Subject), zap.Int("bytes", len(body)))
		err = s.conn.nc.Publish(r.reply, s.endpoint.Refuse(RefusedAnswer))
	}
	if err != nil {
		s.logger.Warn("a request could not be answered", zap.String("subject", r.Subject), zap.Error(err))
	}
}

// mayAnswer tells whether the subject is an inbox that is not one of the
// services': the answer is published with the rights of who answers.
func mayAnswer(reply string) bool {
	prefix, rest, ok := strings.Cut(reply, ".")
	owner := strings.TrimPrefix(prefix, inboxPrefix)
	return ok && rest != "" && strings.HasPrefix(prefix, inboxPrefix) && !slices.Contains(serviceUsers(), strings.TrimPrefix(owner, "_"))
}
