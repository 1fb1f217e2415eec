package operation

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
)

// A Problem is the answer to what could not be done (RFC 9457), the same through
// every door. Its texts are for whoever asked; causes that are not their
// business are only in the log.
type Problem struct {
	Title  string          `json:"title"`
	Status int             `json:"status"`
	Detail string          `json:"detail,omitempty"`
	Errors config.Problems `json:"errors,omitempty"` // one per thing that is wrong, with its path
	// RetryAfter is how long to wait before asking again, if that helps.
	RetryAfter time.Duration `json:"-"`

	cause error
}

// Error returns the detail and every error, a line each.
func (p *Problem) Error() string {
	lines := make([]string, 0, len(p.Errors)+1)
	if p.Detail != "" {
		lines = append(lines, p.Detail)
	}
	for _, e := range p.Errors {
		lines = append(lines, e.String())
	}
	if len(lines) == 0 {
		return p.Title
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus returns the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// Refusal is a problem of the door's own: what was asked did not come as far as
// an operation.
func Refusal(status int, format string, args ...any) *Problem {
	return problem(status, nil, format, args...)
}

// NewReference returns what the answer to a fault of ours and the entry of the
// log with its cause have in common: short, for people to tell each other.
func NewReference() string { return strings.ToLower(rand.Text()[:8]) }

func problem(status int, cause error, format string, args ...any) *Problem {
	return &Problem{Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...), cause: cause}
}

// Invalid is the problem of input that cannot be accepted.
func Invalid(errs ...config.Problem) *Problem {
	p := problem(http.StatusUnprocessableEntity, nil, "what was sent cannot be accepted; nothing of it was stored")
	p.Errors = errs
	return p
}

// missing is the answer for what does not exist, and for what the actor must not see.
func missing(what string) *Problem {
	return problem(http.StatusNotFound, control.ErrNotFound, "%s does not exist", what)
}

// undecodable says what is wrong with JSON that does not fit its type.
func undecodable(err error) *Problem {
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &typed):
		return Invalid(config.Problem{Path: typed.Field, Message: fmt.Sprintf("is a %s where a %s is expected", typed.Value, typed.Type)})
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		name := strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		return Invalid(config.Problem{Path: shorten(name), Message: "is not a key that is known here"})
	}
	return &Problem{Title: http.StatusText(http.StatusBadRequest), Status: http.StatusBadRequest, Detail: "what was sent is not the JSON that is expected here", cause: err}
}

func shorten(s string) string {
	const most = 60
	r := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(r) > most {
		return string(r[:most]) + "…"
	}
	return string(r)
}

// ProblemOf turns an error into what the door shows. Of an error that it does
// not know it says only that it happened: the caller logs it.
func ProblemOf(err error) *Problem {
	var p *Problem
	var problems config.Problems
	var used *control.InUseError
	var throttled *account.ThrottledError
	var query *mailstore.QueryError
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &problems):
		p := Invalid(problems...)
		p.cause = err
		return p
	case errors.As(err, &used):
		return problem(http.StatusConflict, err, "%s", used.Error())
	case errors.As(err, &query):
		p := Invalid(config.Problem{Path: query.Field, Message: query.Problem})
		p.cause = err
		return p
	case errors.As(err, &throttled):
		p := problem(http.StatusTooManyRequests, err, "%s", throttled.Error())
		p.RetryAfter = throttled.After
		return p
	case errors.Is(err, account.ErrCredentials), errors.Is(err, account.ErrSignedOut), errors.Is(err, account.ErrToken), errors.Is(err, account.ErrTokenRests), errors.Is(err, account.ErrRefused):
		return problem(http.StatusUnauthorized, err, "%s", err)
	case errors.Is(err, account.ErrLink), errors.Is(err, account.ErrSetupDone), errors.Is(err, account.ErrLastLandlord):
		return problem(http.StatusConflict, err, "%s", err)
	case errors.Is(err, control.ErrNotFound), errors.Is(err, mailstore.ErrNotFound), errors.Is(err, bus.ErrNotFound):
		return problem(http.StatusNotFound, err, "%s", sentence(err, "it does not exist"))
	case errors.Is(err, account.ErrByToken):
		return problem(http.StatusForbidden, err, "%s", account.ErrByToken)
	case errors.Is(err, control.ErrForbidden):
		return problem(http.StatusForbidden, err, "your role does not allow this")
	case errors.Is(err, control.ErrStale):
		return problem(http.StatusPreconditionFailed, err, "%s", err)
	case errors.Is(err, control.ErrExists), errors.Is(err, control.ErrRotating):
		return problem(http.StatusConflict, err, "%s", err)
	case errors.Is(err, control.ErrNoTenantKey):
		p := Invalid(config.Problem{Path: "password", Message: control.ErrNoTenantKey.Error()})
		p.cause = err
		return p
	case errors.Is(err, control.ErrNoMasterKey):
		return problem(http.StatusServiceUnavailable, err, "%s", control.ErrNoMasterKey)
	case fault.IsUnavailable(err):
		return problem(http.StatusServiceUnavailable, err, "a part of mailyard that this needs is away; try again in a moment")
	}
	return problem(http.StatusInternalServerError, err, "something went wrong inside mailyard; the log of the admin service says what")
}

// sentence returns the first line of an error that is known to be for people.
func sentence(err error, standard string) string {
	if errors.Is(err, control.ErrNotFound) {
		return err.Error()
	}
	return standard
}
