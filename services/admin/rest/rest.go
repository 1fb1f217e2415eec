package rest

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/clientaddr"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// Prefix is what the paths of all operations begin with.
const Prefix = "/api/v1"

// Config is what REST needs.
type Config struct {
	Desk     *operation.Desk
	Accounts *account.Store
	// Operator is a token of whoever runs this installation on this machine; its
	// actor is the landlord. Empty: there is none.
	Operator secret.String
	URL      string // under which others reach the service, "https://mail.example.org"; "": only this machine does
	// TrustedProxies are the networks of the reverse proxies that stand before the
	// service. Those on this machine are trusted if there is a URL.
	TrustedProxies []netip.Prefix
	Version        string
	Logger         *zap.Logger // nil: none
}

type server struct {
	Config
	log     *zap.Logger
	mux     *http.ServeMux
	limiter limiter
	proxies clientaddr.Proxies
}

// New returns the handler of everything below /api/.
func New(c Config) (http.Handler, error) {
	s := &server{Config: c, log: c.Logger, mux: http.NewServeMux(), limiter: newLimiter(), proxies: clientaddr.New(c.URL, c.TrustedProxies)}
	if s.log == nil {
		s.log = zap.NewNop()
	}
	api := humago.NewWithPrefix(s.mux, Prefix, description(c.Version))
	for _, o := range operation.All() {
		s.register(api, o)
	}
	if err := finish(api.OpenAPI()); err != nil {
		return nil, fmt.Errorf("describing REST: %w", err)
	}
	s.serveDocument(api.OpenAPI())
	return s.protect(http.HandlerFunc(s.dispatch)), nil
}

// protect sets the headers that every answer has, refuses unsafe requests of
// other origins, and turns a panic into a problem.
func (s *server) protect(next http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, r, operation.Refusal(http.StatusForbidden, "the request came from another site, which may not use your session"))
	}))
	next = origin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				s.refuse(w, r, fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// dispatch finds the route; what has none is a problem, too.
func (s *server) dispatch(w http.ResponseWriter, r *http.Request) {
	h, pattern := s.mux.Handler(r)
	if pattern == "" {
		found := &header{header: http.Header{}}
		h.ServeHTTP(found, r)
		if allow := found.header.Get("Allow"); found.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allow)
			s.refuse(w, r, operation.Refusal(http.StatusMethodNotAllowed, "%s is not possible here, only %s", r.Method, allow))
			return
		}
		s.refuse(w, r, operation.Refusal(http.StatusNotFound, "there is nothing at this path; %s/openapi.json lists what there is", Prefix))
		return
	}
	if !strings.Contains(pattern, " "+Prefix+"/") || isDocument(pattern) {
		s.mux.ServeHTTP(w, r)
		return
	}
	actor, err := s.authenticate(r)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	release, err := s.limiter.acquire(actor.Name)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	defer release()
	s.mux.ServeHTTP(w, r.WithContext(withActor(r.Context(), actor)))
}

// A header notes what a handler would answer, without the body.
type header struct {
	header http.Header
	status int
}

func (h *header) Header() http.Header         { return h.header }
func (h *header) WriteHeader(status int)      { h.status = status }
func (h *header) Write(b []byte) (int, error) { return len(b), nil }

// description is where the OpenAPI document begins.
func description(version string) huma.Config {
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI:    "3.1.0",
			Info:       about(version),
			Components: components(),
			Servers:    []*huma.Server{{URL: Prefix}},
			Security:   []map[string][]string{{"token": {}}, {"session": {}}},
			Tags:       tags(),
		},
		Formats:                      formats(),
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{inOurWords},
	}
}
