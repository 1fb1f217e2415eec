package rest

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// Limits of a request.
const (
	maxBody     = 1 << 20
	maxMailBody = 2 << 20 // where a mail is sent
	readTime    = 30 * time.Second
	writeTime   = 30 * time.Second // for one step, or for the answer
)

// limit is how long an operation may take.
func limit(o operation.Operation) time.Duration {
	switch {
	case o.Name == "mailbox.bulk":
		return 15 * time.Minute // it may test 100 mailboxes
	case o.Examines:
		return 3 * time.Minute
	}
	return 30 * time.Second
}

func hasBody(o operation.Operation) bool {
	_, ok := o.Input.FieldByName("Body")
	return ok
}

// register makes an operation a route.
func (s *server) register(api huma.API, o operation.Operation) {
	h := describe(api, o)
	h.BodyReadTimeout = readTime
	h.MaxBodyBytes = maxBody
	if o.Name == "routing.simulate" {
		h.MaxBodyBytes = maxMailBody
	}
	h.Middlewares = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		if err := acceptable(o, r); err != nil {
			s.refuse(w, r, err)
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(limit(o) + writeTime)) // a writer of tests has none
		next(ctx)
	}}
	switch {
	case o.Bytes:
		o.RegisterWrite(api, h, func(ctx huma.Context, in any) { s.writeFile(ctx, o, in) })
	case o.Streams:
		o.RegisterWrite(api, h, func(ctx huma.Context, in any) { s.writeSteps(ctx, o, in) })
	default:
		o.Register(api, h, func(ctx context.Context, in any) (any, error) {
			out, err := s.run(ctx, o, in)
			if err != nil {
				return nil, s.problemOf(ctx, o.Name, err)
			}
			return out, nil
		})
	}
}

// run performs an operation within its time.
func (s *server) run(ctx context.Context, o operation.Operation, in any) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, limit(o))
	defer cancel()
	return o.Run(ctx, s.Desk, actorOf(ctx), in)
}

// acceptable refuses what the client could not read, or we not understand,
// before anything is done.
func acceptable(o operation.Operation, r *http.Request) error {
	if sent := r.Header.Get("Content-Type"); hasBody(o) && sent != "" {
		if kind, _, err := mime.ParseMediaType(sent); err != nil || kind != jsonType {
			return operation.Refusal(http.StatusUnsupportedMediaType, "the body must be %s", jsonType)
		}
	}
	if !hasBody(o) && r.ContentLength > 0 {
		return operation.Refusal(http.StatusBadRequest, "there is a body, but this operation takes none")
	}
	switch {
	case o.Bytes, accepts(r, jsonType):
	case o.Streams && accepts(r, linesType):
	default:
		return operation.Refusal(http.StatusNotAcceptable, "the answer is %s, which the Accept header leaves out", jsonType)
	}
	return nil
}

const (
	jsonType  = "application/json"
	linesType = "application/x-ndjson"
)

// accepts reports whether a request accepts a media type (RFC 9110, section
// 12.5.1).
func accepts(r *http.Request, kind string) bool {
	values := r.Header.Values("Accept")
	if len(values) == 0 {
		return true
	}
	major, _, _ := strings.Cut(kind, "/")
	quality := map[string]string{}
	for _, one := range strings.Split(strings.Join(values, ","), ",") {
		if name, parameters, err := mime.ParseMediaType(one); err == nil {
			quality[name] = parameters["q"]
		}
	}
	for _, name := range []string{kind, major + "/*", "*/*"} {
		if q, ok := quality[name]; ok {
			return strings.Trim(q, "0.") != "" || q == ""
		}
	}
	return false
}

// formats is JSON and nothing else.
func formats() map[string]huma.Format {
	strict := huma.Format{
		Marshal: func(w io.Writer, v any) error {
			e := json.NewEncoder(w)
			e.SetEscapeHTML(false)
			return e.Encode(v)
		},
		Unmarshal: json.Unmarshal,
	}
	return map[string]huma.Format{jsonType: strict, "json": strict} // huma looks for problem+json as json
}
