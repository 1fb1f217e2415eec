package oidctest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/mailyard/mailyard/pkg/account/oidc"
	"github.com/mailyard/mailyard/pkg/secret"
)

// What a company's clients are told, all made up.
const (
	ClientID     = "mailyard"
	ClientSecret = "Zx81spectrum"
	Redirect     = "https://mailyard.example/oidc/callback"
)

// A Company is an identity provider, with what tests may change of its answers
// while nobody asks.
type Company struct {
	Redirect string // where it sends browsers back to

	t      testing.TB
	server *httptest.Server
	now    func() time.Time

	mu     sync.Mutex
	Key    *ecdsa.PrivateKey
	keyID  string
	codes  map[string]grant // not yet used
	Asked  int              // for the configuration
	Down   bool
	Claims map[string]any                 // of everybody, over the usual ones
	Forge  func(map[string]any)           // changes the claims last
	Config func(map[string]any)           // changes the configuration
	Sign   func(claims []byte) string     // instead of the usual signature
	Answer func(http.ResponseWriter) bool // of the token endpoint, instead of the usual one
	Basic  int                            // requests with the secret in the header
}

type grant struct{ challenge, nonce string }

// New founds a company, which closes with the test. Its only person is Jane Doe,
// an administrator of the tenant acme.
func New(t testing.TB, now func() time.Time) *Company {
	t.Helper()
	c := &Company{t: t, now: now, codes: map[string]grant{}, Redirect: Redirect, Claims: map[string]any{"groups": []string{"staff", "mail-admins"}, "tenant": "acme"}}
	c.NewKey("first")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", c.configuration)
	mux.HandleFunc("GET /keys", c.keys)
	mux.HandleFunc("POST /token", c.token)
	c.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.Down {
			http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(c.server.Close)
	return c
}

// URL is the issuer.
func (c *Company) URL() string { return c.server.URL }

// NewKey makes the company sign with another key.
func (c *Company) NewKey(id string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	c.Key, c.keyID = key, id
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (c *Company) configuration(w http.ResponseWriter, _ *http.Request) {
	c.Asked++
	doc := map[string]any{
		"issuer": c.server.URL, "authorization_endpoint": c.server.URL + "/authorize", "token_endpoint": c.server.URL + "/token", "jwks_uri": c.server.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"authorization_response_iss_parameter_supported": true,
	}
	if c.Config != nil {
		c.Config(doc)
	}
	reply(w, http.StatusOK, doc)
}

func (c *Company) keys(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: c.Key.Public(), KeyID: c.keyID, Algorithm: "ES256", Use: "sig"}}})
}

// Authorize does what the provider does when somebody has signed in there: it
// sends the browser back.
func (c *Company) Authorize(to string) url.Values {
	c.t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		c.t.Fatal(err)
	}
	q := u.Query()
	for key, want := range map[string]string{"client_id": ClientID, "redirect_uri": c.Redirect, "response_type": "code", "code_challenge_method": "S256"} {
		if q.Get(key) != want {
			c.t.Errorf("%s = %q; want %q", key, q.Get(key), want)
		}
	}
	for _, key := range []string{"state", "nonce", "code_challenge"} {
		if len(q.Get(key)) < 43 {
			c.t.Errorf("%s = %q; want 256 bits", key, q.Get(key))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	code := rand.Text()
	c.codes[code] = grant{q.Get("code_challenge"), q.Get("nonce")}
	return url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {c.server.URL}}
}

func (c *Company) token(w http.ResponseWriter, r *http.Request) {
	if c.Answer != nil && c.Answer(w) {
		return
	}
	id, password, ok := r.BasicAuth()
	if ok {
		c.Basic++
	} else {
		id, password = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != ClientID || password != ClientSecret {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	code := r.PostFormValue("code")
	g, ok := c.codes[code]
	delete(c.codes, code) // RFC 6749, section 4.1.2: used once
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) || r.PostFormValue("redirect_uri") != c.Redirect {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "the code " + code + " is not good"})
		return
	}
	claims := map[string]any{
		"iss": c.server.URL, "sub": "248289761001", "aud": ClientID, "nonce": g.nonce, "iat": c.now().Unix(), "exp": c.now().Add(5 * time.Minute).Unix(),
		"preferred_username": "jane", "name": "Jane Doe",
	}
	maps.Copy(claims, c.Claims)
	if c.Forge != nil {
		c.Forge(claims)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		c.t.Error(err)
	}
	sign := c.usualSignature
	if c.Sign != nil {
		sign = c.Sign
	}
	reply(w, http.StatusOK, map[string]any{"access_token": "of no use", "token_type": "Bearer", "id_token": sign(raw)})
}

func (c *Company) usualSignature(claims []byte) string { return c.Signed(jose.ES256, c.Key, claims) }

// Signed signs claims with a key, as an ID token.
func (c *Company) Signed(alg jose.SignatureAlgorithm, key any, claims []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: c.keyID}}, nil)
	if err != nil {
		c.t.Error(err)
		return ""
	}
	object, err := signer.Sign(claims)
	if err != nil {
		c.t.Error(err)
		return ""
	}
	text, err := object.CompactSerialize()
	if err != nil {
		c.t.Error(err)
	}
	return text
}

// Options are those of a deployment that trusts the company.
func (c *Company) Options() oidc.Options {
	client := c.server.Client()
	c.t.Cleanup(client.CloseIdleConnections)
	return oidc.Options{
		Issuer: c.server.URL, ClientID: ClientID, ClientSecret: secret.NewString(ClientSecret), RedirectURL: c.Redirect, Name: "Example Login",
		RoleClaim: "groups", TenantClaim: "tenant", Landlord: []string{"mail-landlords"}, TenantAdmin: []string{"mail-admins"}, Reader: []string{"mail-readers"},
		Client: client, Now: c.now,
	}
}

// Provider is what a deployment that trusts the company has.
func (c *Company) Provider() *oidc.Provider {
	c.t.Helper()
	p, err := oidc.New(c.Options())
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// Begin begins a sign-in and lets the company send the browser back.
func (c *Company) Begin(p *oidc.Provider) (cookie string, answer url.Values) {
	c.t.Helper()
	r, err := p.Begin(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return r.Cookie.Reveal(), c.Authorize(r.URL)
}
