package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	contract "github.com/mailyard/mailyard/schemas/apply"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// limit is how long a request may take: an examination of mail servers takes
// up to 90 seconds.
const limit = 2 * time.Minute

// Of the requests that are handled at once, some are left for what is quick.
const (
	requestsAtOnce     = 8
	examinationsAtOnce = 4
)

// Config is what the door needs.
type Config struct {
	Desk     *operation.Desk
	Accounts *account.Store
	Bus      *bus.Conn
	Version  string
	Logger   *zap.Logger // nil: none
}

type server struct {
	Config
	log        *zap.Logger
	operations map[string]operation.Operation
	examining  chan struct{} // holds an element for every examination that is under way
}

// Run answers requests until ctx is done.
func Run(ctx context.Context, c Config) error {
	s := &server{Config: c, log: c.Logger, operations: map[string]operation.Operation{}, examining: make(chan struct{}, examinationsAtOnce)}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	for _, o := range operation.All() {
		s.operations[o.Name] = o
	}
	return c.Bus.Serve(ctx, bus.Endpoint{
		Service: "config", Version: c.Version, Subject: contract.Subjects, Parallel: requestsAtOnce, Limit: limit, Refuse: s.refuse,
	}, s.handle)
}

// handle answers one request.
func (s *server) handle(ctx context.Context, r bus.Request) []byte {
	kind := strings.TrimPrefix(r.Subject, contract.SubjectPrefix)
	actor, err := s.authenticate(ctx, r)
	if err != nil {
		return s.problem(kind, actor, err)
	}
	var request contract.Request
	dec := json.NewDecoder(bytes.NewReader(r.Body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&request); err != nil || dec.More() {
		return s.problem(kind, actor, operation.Refusal(http.StatusBadRequest, `the request is not {"operation": …, "input": {…}}`))
	}
	name := kind + "." + request.Operation
	o, ok := s.operations[name]
	if !ok {
		return s.problem(kind, actor, operation.Refusal(http.StatusNotFound, "there is no such operation of this kind"))
	}
	if o.Examines {
		select {
		case s.examining <- struct{}{}:
			defer func() { <-s.examining }()
		default:
			return s.problem(name, actor, operation.Refusal(http.StatusTooManyRequests, "too many examinations are under way; try again in a few seconds"))
		}
	}
	out, err := o.Call(ctx, s.Desk, actor, request.Input)
	if err != nil {
		return s.problem(name, actor, err)
	}
	result, err := json.Marshal(out)
	if err != nil {
		return s.problem(name, actor, fmt.Errorf("encoding the answer of %s: %w", name, err))
	}
	return answer(contract.Answer{Result: result})
}

// authenticate finds out who asks.
func (s *server) authenticate(ctx context.Context, r bus.Request) (control.Actor, error) {
	scheme, token, ok := strings.Cut(r.Value("Authorization"), " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return control.Actor{}, operation.Refusal(http.StatusUnauthorized, "send an API token as the header Authorization: Bearer TOKEN")
	}
	actor, err := s.Accounts.Token(ctx, strings.TrimSpace(token), "events")
	for _, refused := range []error{account.ErrToken, account.ErrTokenRests} {
		if errors.Is(err, refused) {
			return control.Actor{}, operation.Refusal(http.StatusUnauthorized, "%s", refused)
		}
	}
	return actor, err
}

// problem is the answer to what could not be done. Faults of ours are in the log,
// under the reference that the answer has.
func (s *server) problem(name string, actor control.Actor, err error) []byte {
	p := operation.ProblemOf(err)
	detail := p.Detail
	log := s.log.With(zap.String("operation", name), zap.String("actor", actor.Name), zap.Int("status", p.Status), zap.Error(err))
	if p.Status >= http.StatusInternalServerError {
		reference := operation.NewReference()
		detail += " (reference " + reference + ")"
		log.Error("answering a request on NATS", zap.String("reference", reference))
	} else {
		log.Debug("refusing a request on NATS")
	}
	out := contract.Problem{Title: p.Title, Status: p.Status, Detail: detail}
	for _, e := range p.Errors {
		out.Errors = append(out.Errors, contract.Error{Path: e.Path, Message: e.Message})
	}
	return answer(contract.Answer{Problem: &out})
}

// refuse is the answer to what was not handled.
func (s *server) refuse(r bus.Refusal) []byte {
	p := operation.Refusal(http.StatusInternalServerError, "something went wrong inside mailyard; the log of the admin service says what")
	switch r {
	case bus.RefusedTooLarge:
		p = operation.Refusal(http.StatusRequestEntityTooLarge, "the request is too large; use the REST API for it")
	case bus.RefusedBusy:
		p = operation.Refusal(http.StatusServiceUnavailable, "too many requests wait already; try again in a moment")
	case bus.RefusedAnswer:
		p = operation.Refusal(http.StatusRequestEntityTooLarge, "it was done, but the answer is larger than NATS takes; use the REST API for it")
	}
	return answer(contract.Answer{Problem: &contract.Problem{Title: p.Title, Status: p.Status, Detail: p.Detail}})
}

func answer(a contract.Answer) []byte {
	raw, err := json.Marshal(a)
	if err != nil { // texts and what is JSON already
		return []byte(`{"problem":{"title":"Internal Server Error","status":500}}`)
	}
	return raw
}
