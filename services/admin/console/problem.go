package console

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// What the console itself refuses.
var (
	errNoPage      = &operation.Problem{Title: "Not found", Status: http.StatusNotFound, Detail: "This page does not exist, or it is not yours to see."}
	errCrossOrigin = &operation.Problem{Title: "Refused", Status: http.StatusForbidden, Detail: "The request came from another site. Open the page here and repeat it."}
	errTooLong     = &operation.Problem{Title: "It took too long", Status: http.StatusGatewayTimeout, Detail: "It was ended. Try again in a moment."}
	errSignIn      = errors.New("nobody is signed in")
)

// problemOf returns what the browser is told about an error.
func problemOf(err error) *operation.Problem {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &operation.Problem{Title: "Too large", Status: http.StatusRequestEntityTooLarge, Detail: "What was sent is larger than " + sizeText(large.Limit) + "."}
	case errors.Is(err, account.ErrLink):
		return &operation.Problem{Title: "The link is not valid any more", Status: http.StatusGone, Detail: account.ErrLink.Error()}
	case errors.Is(err, account.ErrCredentials): // of whoever is signed in and changes the password
		return operation.Invalid(config.Problem{Path: "current", Message: "is wrong"})
	case isEscapeError(err):
		return &operation.Problem{Title: "Bad request", Status: http.StatusBadRequest, Detail: "The form that was sent cannot be read."}
	}
	return operation.ProblemOf(err)
}

func isEscapeError(err error) bool {
	var escape url.EscapeError
	return errors.As(err, &escape) || errors.Is(err, http.ErrNotMultipart) || errors.Is(err, http.ErrMissingBoundary) ||
		strings.Contains(err.Error(), "invalid semicolon separator")
}

// fail answers with an error: a page, or a toast where a part of a page was
// asked for.
func (r *request) fail(err error) {
	if errors.Is(err, errSignIn) {
		r.toSignIn()
		return
	}
	p, ended := problemOf(err), r.Context().Err()
	if errors.Is(ended, context.DeadlineExceeded) {
		p = errTooLong
	}
	log := r.console.log.With(zap.String("method", r.Method), zap.String("path", r.URL.Path), zap.String("actor", r.actor.Name), zap.Error(err))
	view := problemView{Problem: p, Home: r.signedIn()}
	switch {
	case errors.Is(ended, context.Canceled):
		log.Debug("the browser went away")
	case p.Status >= http.StatusInternalServerError:
		view.Reference = operation.NewReference()
		log.Error("answering a browser", zap.Int("status", p.Status), zap.String("reference", view.Reference))
	case p.RetryAfter > 0:
		r.retryAfter(p.RetryAfter)
	default:
		log.Debug("refusing a request", zap.Int("status", p.Status))
	}
	if r.started {
		return // the rest of it is missing; the browser sees the connection end
	}
	r.status = p.Status
	if r.partial() {
		r.failPart(view)
		return
	}
	if err := r.page("problem", page{Title: p.Title, Bare: ended != nil}, view); err != nil { // the navigation pane would ask the databases again
		r.console.log.Error("answering a browser", zap.Error(err))
		http.Error(r.w, p.Title, p.Status)
	}
}

// failPart shows an error as a toast; the page stays as it is.
func (r *request) failPart(view problemView) {
	html, err := r.execute("toast", toast{Tone: toneBad, Text: view.text()})
	if err != nil {
		r.console.log.Error("answering a browser", zap.Error(err))
		http.Error(r.w, view.Problem.Title, view.Problem.Status)
		return
	}
	r.w.Header().Set("HX-Retarget", "#toasts")
	r.w.Header().Set("HX-Reswap", "beforeend")
	_ = r.send(html) // it never fails
}

type problemView struct {
	Problem   *operation.Problem
	Reference string // in the log; "" if it is no fault of ours
	Home      bool
}

func (v problemView) text() string {
	text := sentence(v.Problem.Error())
	if v.Reference != "" {
		text += " Reference: " + v.Reference
	}
	return text
}

// sentence makes a message of an operation a sentence: those begin in lower case
// and have no full stop, as errors of Go do.
func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	if s[0] >= 'a' && s[0] <= 'z' {
		s = strings.ToUpper(s[:1]) + s[1:]
	}
	if !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "…") && !strings.HasSuffix(s, ":") {
		s += "."
	}
	return s
}

func (r *request) retryAfter(d time.Duration) {
	r.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(d.Seconds()))))
}
