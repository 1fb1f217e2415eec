package console

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/account/oidc"
	"github.com/mailyard/mailyard/services/admin/clientaddr"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// Config is what the console needs.
type Config struct {
	Desk     *operation.Desk // every operation goes through it
	Accounts *account.Store  // who is signed in
	OIDC     *oidc.Provider  // sign-in elsewhere, which comes back to CallbackPath; nil: local accounts only
	OIDCName string          // on the button of that sign-in
	URL      string          // under which browsers reach the console, "https://mail.example.org"; "": only this machine does
	// TrustedProxies are the networks of the reverse proxies that stand before the
	// console. Those on this machine are trusted if there is a URL.
	TrustedProxies []netip.Prefix
	Version        string
	Logger         *zap.Logger // nil: none
}

// A console answers the requests of browsers.
type console struct {
	Config
	look
	log     *zap.Logger
	public  *url.URL // nil: only this machine reaches it
	proxies clientaddr.Proxies
}

// New returns the handler of the console. It answers every path that REST and
// its kin leave to it.
func New(c Config) (http.Handler, error) {
	l, err := loadLook()
	if err != nil {
		return nil, fmt.Errorf("serving the console: %w", err)
	}
	con, err := build(c, l)
	if err != nil {
		return nil, err
	}
	return con.protect(con.mux()), nil
}

func build(c Config, l look) (*console, error) {
	con := &console{Config: c, look: l, log: c.Logger, proxies: clientaddr.New(c.URL, c.TrustedProxies)}
	if con.log == nil {
		con.log = zap.NewNop()
	}
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return nil, errors.New("serving the console: its URL has to be like https://mail.example.org")
		}
		con.public = u
	}
	return con, nil
}

// https reports whether browsers reach the console by https alone.
func (c *console) https() bool { return c.public != nil && c.public.Scheme == "https" }

// An access says who may ask for a route.
type access int

const (
	signedIn access = iota // whoever is signed in
	anyone                 // signed in or not
	landlord               // the landlord; to others the route does not exist
	manager                // who manages accounts; likewise
)

// A route is a page, a part of one, or what a form is sent to.
type route struct {
	pattern string // of http.ServeMux: "GET /t/{tenant}/mailboxes"
	access  access
	handle  func(*request) error
	limit   int64 // octets of a request's body; 0: formLimit
	long    bool  // it speaks with mail servers, or is about many things
}

// How long an answer may take. The longest is a test of 100 mailboxes.
const (
	answerTime = 30 * time.Second
	longTime   = 15 * time.Minute
)

// time is how long the route may take.
func (r route) time() time.Duration {
	if r.long {
		return longTime
	}
	return answerTime
}

// routes lists everything that the console answers, but assets. A group of
// pages has a file of its own, with its routes.
func (c *console) routes() []route {
	return slices.Concat(
		c.homeRoutes(),
		c.signInRoutes(),
		c.linkRoutes(),
		c.oidcRoutes(),
		c.profileRoutes(),
		c.mailboxRoutes(),
		c.mailboxFormRoutes(),
		c.folderRoutes(),
		c.mailRoutes(),
		c.deadLetterRoutes(),
		c.simulatorRoutes(),
		c.auditRoutes(),
		c.tenantRoutes(),
		c.parameterRoutes(),
		c.systemRoutes(),
		c.accountRoutes(),
	)
}

func (c *console) mux() *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range c.routes() {
		mux.Handle(r.pattern, c.handler(r))
	}
	mux.Handle("GET /assets/", c.assets)
	mux.Handle("/", c.handler(route{access: anyone, handle: func(*request) error { return errNoPage }}))
	return mux
}
