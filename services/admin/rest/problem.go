package rest

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A problem is what is answered (RFC 9457).
type problem struct {
	*operation.Problem
	Reference string // by which the log tells the cause; "" if it is no fault of ours
	headers   http.Header
}

// Unwrap returns the problem of the operation.
func (p *problem) Unwrap() error { return p.Problem }

// GetHeaders makes huma set them.
func (p *problem) GetHeaders() http.Header { return p.headers }

// MarshalJSON adds the reference to the members of the problem.
func (p *problem) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		*operation.Problem
		Reference string `json:"reference,omitempty"`
	}{p.Problem, p.Reference})
}

// problemOf turns an error into what is answered, and logs what is our fault.
func (s *server) problemOf(ctx context.Context, what string, err error) *problem {
	var unauthenticated *unauthenticatedError
	var throttled *account.ThrottledError
	var busy *busyError
	p := &problem{headers: http.Header{}}
	switch {
	case errors.As(err, &unauthenticated):
		p.Problem = operation.Refusal(http.StatusUnauthorized, "%s", unauthenticated.detail)
		p.headers.Set("WWW-Authenticate", unauthenticated.challenge())
	case errors.As(err, &throttled):
		p.Problem = operation.Refusal(http.StatusTooManyRequests, "%s", throttled)
		p.headers.Set("Retry-After", strconv.Itoa(int(math.Ceil(throttled.After.Seconds()))))
	case errors.As(err, &busy):
		p.Problem = busy.Problem
		p.headers.Set("Retry-After", "1")
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil:
		p.Problem = operation.Refusal(http.StatusGatewayTimeout, "it took too long and was ended")
	default:
		p.Problem = operation.ProblemOf(err)
		if p.RetryAfter > 0 {
			p.headers.Set("Retry-After", strconv.Itoa(int(math.Ceil(p.RetryAfter.Seconds()))))
		} else if fault.IsUnavailable(err) {
			p.headers.Set("Retry-After", "5")
		}
	}
	log := s.log.With(zap.String("operation", what), zap.String("actor", actorOf(ctx).Name), zap.Int("status", p.Status), zap.Error(err))
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		log.Debug("the client of REST went away")
	case p.Status >= http.StatusInternalServerError:
		p.Reference = operation.NewReference()
		log.Error("answering REST", zap.String("reference", p.Reference))
	default:
		log.Debug("refusing a request of REST")
	}
	return p
}

// refuse answers what did not come as far as huma.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p, ok := err.(*problem)
	if !ok {
		p = s.problemOf(r.Context(), r.Method, err)
	}
	for name, values := range p.headers {
		w.Header()[name] = values
	}
	w.Header().Del("ETag")
	w.Header().Del("Content-Disposition")
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p) // a client that went away
	}
}

// inOurWords makes a problem of what huma itself refuses. What was sent is not
// repeated: it may be a secret.
func inOurWords(_ huma.Context, _ string, v any) (any, error) {
	e, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	if e.Status == http.StatusUnprocessableEntity {
		var details []error
		for _, d := range e.Errors {
			details = append(details, d)
		}
		return operation.Invalid(operation.Problems(details)...), nil
	}
	switch e.Status {
	case http.StatusBadRequest:
		return operation.Refusal(e.Status, "the body is not the JSON that is expected here"), nil
	case http.StatusRequestTimeout:
		return operation.Refusal(e.Status, "the body did not come in time"), nil
	case http.StatusRequestEntityTooLarge:
		return operation.Refusal(e.Status, "the body is too large"), nil
	}
	return operation.Refusal(e.Status, "%s", e.Detail), nil
}
