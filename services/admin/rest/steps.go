package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A line is what an examination sends, one JSON value a line, when it is
// followed: every step as it begins and as it ends, and at last the report, or
// the problem that prevented it.
type line struct {
	Step    *doctor.Step `json:"step,omitempty"`
	Report  any          `json:"report,omitempty"`
	Problem *problem     `json:"problem,omitempty"`
}

// writeSteps answers an examination: as JSON when it has ended or, if the client
// prefers that, line by line. A client that goes away ends it.
func (s *server) writeSteps(ctx huma.Context, o operation.Operation, in any) {
	r, w := humago.Unwrap(ctx)
	if !follows(r) {
		out, err := s.run(ctx.Context(), o, in)
		if err != nil {
			s.refuse(w, r, s.problemOf(ctx.Context(), o.Name, err))
			return
		}
		w.Header().Set("Content-Type", jsonType)
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		_ = e.Encode(out) // a client that went away
		return
	}
	run, cancel := context.WithTimeout(ctx.Context(), limit(o))
	defer cancel()
	lines := &lines{w: w, controller: http.NewResponseController(w)}
	out, err := o.Follow(run, s.Desk, actorOf(run), in, func(step doctor.Step) { lines.send(line{Step: &step}) })
	switch {
	case err == nil:
		lines.send(line{Report: out})
	case lines.begun():
		lines.send(line{Problem: s.problemOf(run, o.Name, err)})
	default:
		s.refuse(w, r, s.problemOf(run, o.Name, err))
	}
}

// follows reports whether the client asks for lines.
func follows(r *http.Request) bool {
	for _, accept := range r.Header.Values("Accept") {
		if accept == linesType {
			return true
		}
	}
	return !accepts(r, jsonType)
}

// lines sends lines as they come. It may be used by several goroutines.
type lines struct {
	mu         sync.Mutex
	w          http.ResponseWriter
	controller *http.ResponseController
	sent       bool
}

func (l *lines) begun() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent
}

func (l *lines) send(v line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.sent {
		l.sent = true
		l.w.Header().Set("Content-Type", linesType)
		l.w.Header().Set("X-Accel-Buffering", "no") // nginx would collect it
	}
	// The clients' connections end what cannot be sent: the context of the
	// request ends with them.
	_ = l.controller.SetWriteDeadline(time.Now().Add(writeTime))
	e := json.NewEncoder(l.w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	_ = l.controller.Flush()
}
