package oidc_test

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
	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/account/oidc"
	"github.com/mailyard/mailyard/pkg/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	clientID     = "mailyard"
	clientSecret = "Zx81spectrum"
	redirect     = "https://mailyard.example/oidc/callback"
)

// A company is an identity provider, with what tests may change of its answers.
type company struct {
	t      *testing.T
	server *httptest.Server
	now    func() time.Time

	mu     sync.Mutex
	key    *ecdsa.PrivateKey
	keyID  string
	codes  map[string]grant // not yet used
	asked  int              // for the configuration
	down   bool
	claims map[string]any                 // of everybody, over the usual ones
	forge  func(map[string]any)           // changes the claims last
	config func(map[string]any)           // changes the configuration
	sign   func(claims []byte) string     // instead of the usual signature
	answer func(http.ResponseWriter) bool // of the token endpoint, instead of the usual one
	basic  int                            // requests with the secret in the header
}

type grant struct{ challenge, nonce string }

func newCompany(t *testing.T, now func() time.Time) *company {
	t.Helper()
	c := &company{t: t, now: now, codes: map[string]grant{}, claims: map[string]any{"groups": []string{"staff", "mail-admins"}, "tenant": "acme"}}
	c.newKey("first")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", c.configuration)
	mux.HandleFunc("GET /keys", c.keys)
	mux.HandleFunc("POST /token", c.token)
	c.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.down {
			http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(c.server.Close)
	return c
}

func (c *company) newKey(id string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		c.t.Fatal(err)
	}
	c.key, c.keyID = key, id
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (c *company) configuration(w http.ResponseWriter, _ *http.Request) {
	c.asked++
	doc := map[string]any{
		"issuer": c.server.URL, "authorization_endpoint": c.server.URL + "/authorize", "token_endpoint": c.server.URL + "/token", "jwks_uri": c.server.URL + "/keys",
		"id_token_signing_alg_values_supported": []string{"ES256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"authorization_response_iss_parameter_supported": true,
	}
	if c.config != nil {
		c.config(doc)
	}
	reply(w, http.StatusOK, doc)
}

func (c *company) keys(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: c.key.Public(), KeyID: c.keyID, Algorithm: "ES256", Use: "sig"}}})
}

// authorize does what the provider does when somebody has signed in there: it
// sends the browser back.
func (c *company) authorize(to string) url.Values {
	c.t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		c.t.Fatal(err)
	}
	q := u.Query()
	for key, want := range map[string]string{"client_id": clientID, "redirect_uri": redirect, "response_type": "code", "code_challenge_method": "S256"} {
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

func (c *company) token(w http.ResponseWriter, r *http.Request) {
	if c.answer != nil && c.answer(w) {
		return
	}
	id, password, ok := r.BasicAuth()
	if ok {
		c.basic++
	} else {
		id, password = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != clientID || password != clientSecret {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	code := r.PostFormValue("code")
	g, ok := c.codes[code]
	delete(c.codes, code) // RFC 6749, section 4.1.2: used once
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]) || r.PostFormValue("redirect_uri") != redirect {
		reply(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "the code " + code + " is not good"})
		return
	}
	claims := map[string]any{
		"iss": c.server.URL, "sub": "248289761001", "aud": clientID, "nonce": g.nonce, "iat": c.now().Unix(), "exp": c.now().Add(5 * time.Minute).Unix(),
		"preferred_username": "jane", "name": "Jane Doe",
	}
	maps.Copy(claims, c.claims)
	if c.forge != nil {
		c.forge(claims)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		c.t.Error(err)
	}
	sign := c.usualSignature
	if c.sign != nil {
		sign = c.sign
	}
	reply(w, http.StatusOK, map[string]any{"access_token": "of no use", "token_type": "Bearer", "id_token": sign(raw)})
}

func (c *company) usualSignature(claims []byte) string { return c.signed(jose.ES256, c.key, claims) }

func (c *company) signed(alg jose.SignatureAlgorithm, key any, claims []byte) string {
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

// options are those of a deployment that trusts the company.
func (c *company) options() oidc.Options {
	client := c.server.Client()
	c.t.Cleanup(client.CloseIdleConnections)
	return oidc.Options{
		Issuer: c.server.URL, ClientID: clientID, ClientSecret: secret.NewString(clientSecret), RedirectURL: redirect, Name: "Example Login",
		RoleClaim: "groups", TenantClaim: "tenant", Landlord: []string{"mail-landlords"}, TenantAdmin: []string{"mail-admins"}, Reader: []string{"mail-readers"},
		Client: client, Now: c.now,
	}
}

func (c *company) provider() *oidc.Provider {
	c.t.Helper()
	p, err := oidc.New(c.options())
	if err != nil {
		c.t.Fatal(err)
	}
	return p
}

// begin begins a sign-in and lets the company send the browser back.
func (c *company) begin(p *oidc.Provider) (cookie string, answer url.Values) {
	c.t.Helper()
	r, err := p.Begin(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	return r.Cookie.Reveal(), c.authorize(r.URL)
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
