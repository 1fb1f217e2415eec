package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"go.uber.org/zap"
	"golang.org/x/oauth2"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/secret"
)

// How long what the provider said of itself is taken for true, and how long
// nobody asks again after it did not answer.
const (
	discoveryAge   = time.Hour
	discoveryPause = 5 * time.Second
)

// A Provider is an OpenID Connect provider. Safe for concurrent use.
type Provider struct {
	options Options

	mu      sync.Mutex
	found   *discovered // nil: not yet
	tried   time.Time
	failure error // of the last try
}

// discovered is what the provider says of itself (OpenID Connect Discovery 1.0,
// section 3).
type discovered struct {
	at       time.Time
	oauth2   oauth2.Config
	verifier *oidc.IDTokenVerifier
	namesIss bool // answers hold iss (RFC 9207)
}

// New returns a provider. It connects to nothing. The error names everything
// that is wrong with the options.
func New(o Options) (*Provider, error) {
	if err := o.check(); err != nil {
		return nil, fault.Permanent(fmt.Errorf("configuring OpenID Connect: %w", err))
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: requestLimit}
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Scopes == nil {
		o.Scopes = []string{"profile", "email"}
	}
	if o.Name == "" {
		o.Name = "the identity provider"
	}
	return &Provider{options: o}, nil
}

// A Request is the beginning of a sign-in.
type Request struct {
	URL       string        // where the browser goes
	Cookie    secret.String // what it brings back to Finish; HttpOnly, SameSite=Lax
	ExpiresAt time.Time
}

// Begin begins a sign-in. The error is fault.Unavailable when the provider does
// not answer.
func (p *Provider) Begin(ctx context.Context) (Request, error) {
	d, err := p.discover(ctx)
	if err != nil {
		return Request{}, err
	}
	now := p.options.Now()
	f := newFlow(now)
	return Request{
		URL:       d.oauth2.AuthCodeURL(f.state(), oidc.Nonce(f.nonce()), oauth2.S256ChallengeOption(f.verifier())),
		Cookie:    f.cookie(),
		ExpiresAt: now.Add(FlowLifetime),
	}, nil
}

// discover returns what is known of the provider, and asks it if that is nothing
// or old. What is old is better than nothing.
func (p *Provider) discover(ctx context.Context) (discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.options.Now()
	if p.found != nil && now.Sub(p.found.at) < discoveryAge {
		return *p.found, nil
	}
	if p.failure == nil || now.Sub(p.tried) >= discoveryPause {
		p.tried = now
		var d discovered
		// Others wait for the answer too: it is not for the first one to give up.
		if d, p.failure = p.ask(context.WithoutCancel(ctx)); p.failure == nil {
			d.at = now
			p.found = &d
		}
	}
	switch {
	case p.failure == nil:
	case p.found != nil:
		p.options.Logger.Warn("identity provider does not answer; what it said before is used", zap.String("issuer", p.options.Issuer), zap.Error(p.failure))
	default:
		return discovered{}, p.failure
	}
	return *p.found, nil
}

func (p *Provider) ask(ctx context.Context) (discovered, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.options.Client), requestLimit)
	defer cancel()
	o := p.options
	provider, err := oidc.NewProvider(ctx, o.Issuer)
	if err != nil {
		return discovered{}, fault.Unavailable(fmt.Errorf("asking %s for its OpenID Connect configuration: %w", o.Issuer, err))
	}
	var more struct {
		AuthMethods []string `json:"token_endpoint_auth_methods_supported"`
		NamesIss    bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := provider.Claims(&more); err != nil {
		return discovered{}, fault.Unavailable(fmt.Errorf("reading OpenID Connect configuration of %s: %w", o.Issuer, err))
	}
	endpoint := provider.Endpoint()
	if endpoint.AuthURL == "" || endpoint.TokenURL == "" {
		return discovered{}, fault.Unavailable(fmt.Errorf("reading OpenID Connect configuration of %s: %w", o.Issuer, errors.New("an endpoint is missing")))
	}
	// Trying which way the secret is taken would send the code twice.
	endpoint.AuthStyle = oauth2.AuthStyleInHeader
	basic := len(more.AuthMethods) == 0 || slices.Contains(more.AuthMethods, "client_secret_basic")
	if o.ClientSecret.IsZero() || !basic {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return discovered{
		oauth2: oauth2.Config{
			ClientID: o.ClientID, ClientSecret: o.ClientSecret.Reveal(), Endpoint: endpoint,
			RedirectURL: o.RedirectURL, Scopes: append([]string{oidc.ScopeOpenID}, o.Scopes...),
		},
		verifier: provider.Verifier(&oidc.Config{ClientID: o.ClientID, Now: o.Now}),
		namesIss: more.NamesIss,
	}, nil
}
