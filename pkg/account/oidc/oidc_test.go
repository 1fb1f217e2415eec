package oidc_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/account/oidc"
	"github.com/mailyard/mailyard/pkg/account/oidc/oidctest"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/secret"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	c := oidctest.New(t, time.Now)
	p := c.Provider()
	cookie, answer := c.Begin(p)
	got, err := p.Finish(t.Context(), cookie, answer)
	if err != nil {
		t.Fatal(err)
	}
	want := account.Identity{Issuer: c.URL(), Subject: "248289761001", Name: "jane", DisplayName: "Jane Doe", Role: control.RoleTenantAdmin, Tenant: "acme"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if c.Basic != 1 {
		t.Errorf("%d requests with the secret in the header; want 1", c.Basic)
	}
}

func TestRoleAndTenantComeFromClaims(t *testing.T) {
	t.Parallel()
	c := oidctest.New(t, time.Now)
	nested := map[string]any{"roles": []any{"mail-readers", 7, nil, ""}}
	cases := []struct {
		name    string
		change  func(*oidc.Options)
		claims  map[string]any
		role    control.Role
		tenant  string
		refused string
	}{
		{"landlord has no tenant", nil, map[string]any{"groups": []string{"mail-landlords"}}, control.RoleLandlord, "", ""},
		{"the highest counts", nil, map[string]any{"groups": []string{"mail-readers", "mail-admins"}}, control.RoleTenantAdmin, "acme", ""},
		{"a text", nil, map[string]any{"groups": "mail-readers"}, control.RoleReader, "acme", ""},
		{"reader of all", nil, map[string]any{"groups": "mail-readers", "tenant": "*"}, control.RoleReader, "", ""},
		{"tenant in a list", nil, map[string]any{"tenant": []string{"acme"}}, control.RoleTenantAdmin, "acme", ""},
		{"by path", func(o *oidc.Options) { o.RoleClaim = "realm_access.roles" }, map[string]any{"realm_access": nested}, control.RoleReader, "acme", ""},
		{"by a name with dots", func(o *oidc.Options) { o.RoleClaim = "https://example.com/roles" }, map[string]any{"https://example.com/roles": "mail-readers"}, control.RoleReader, "acme", ""},
		{"no tenant claim configured", func(o *oidc.Options) { o.TenantClaim, o.TenantAdmin = "", nil }, map[string]any{"groups": "mail-readers"}, control.RoleReader, "", ""},
		{"no role claim", func(o *oidc.Options) { o.RoleClaim = "role" }, nil, "", "", "gives you no role in mailyard (claim role)"},
		{"path into a text", func(o *oidc.Options) { o.RoleClaim = "name.roles.x" }, nil, "", "", "no role"},
		{"other roles", nil, map[string]any{"groups": []string{"staff"}}, "", "", "Example Login gives you no role in mailyard (claim groups); ask your administrator"},
		{"case counts", nil, map[string]any{"groups": "MAIL-ADMINS"}, "", "", "no role"},
		{"a number", nil, map[string]any{"groups": 7}, "", "", "no role"},
		{"no tenant", nil, map[string]any{"tenant": nil}, "", "", "gives you no tenant (claim tenant)"},
		{"reader without tenant is not one of all", nil, map[string]any{"groups": "mail-readers", "tenant": nil}, "", "", "no tenant"},
		{"administrator of all", nil, map[string]any{"tenant": "*"}, "", "", "not an id"},
		{"no id", nil, map[string]any{"tenant": "Acme Ltd <b>"}, "", "", "not an id"},
		{"empty tenant", nil, map[string]any{"tenant": ""}, "", "", "not an id"},
		{"two tenants", nil, map[string]any{"tenant": []string{"acme", "rival"}}, "", "", "several tenants"},
	}
	for _, tc := range cases {
		o := c.Options()
		if tc.change != nil {
			tc.change(&o)
		}
		p, err := oidc.New(o)
		if err != nil {
			t.Fatal(err)
		}
		cookie, answer := c.Begin(p)
		c.Forge = func(claims map[string]any) {
			for k, v := range tc.claims {
				claims[k] = v
			}
		}
		got, err := p.Finish(t.Context(), cookie, answer)
		c.Forge = nil
		var refused *account.RefusedError
		switch {
		case tc.refused == "" && (err != nil || got.Role != tc.role || got.Tenant != tc.tenant):
			t.Errorf("%s: %v of %q, %v; want %v of %q", tc.name, got.Role, got.Tenant, err, tc.role, tc.tenant)
		case tc.refused != "" && (!errors.As(err, &refused) || !strings.Contains(refused.Reason, tc.refused) || got != account.Identity{}):
			t.Errorf("%s: %v, %v; want refused: %s", tc.name, got, err, tc.refused)
		}
	}
}

func TestNameIsTheEmailAddressOnlyIfItIsVerified(t *testing.T) {
	t.Parallel()
	c := oidctest.New(t, time.Now)
	p := c.Provider()
	for verified, want := range map[any]string{true: "jane@example.com", false: "", "true": "", nil: ""} {
		cookie, answer := c.Begin(p)
		c.Claims["email"], c.Claims["email_verified"], c.Claims["preferred_username"] = "jane@example.com", verified, ""
		if got, err := p.Finish(t.Context(), cookie, answer); err != nil || got.Name != want {
			t.Errorf("verified %v: name %q, %v; want %q", verified, got.Name, err, want)
		}
	}
}

func TestForgedAnswersAreRefused(t *testing.T) {
	t.Parallel()
	now := time.Now()
	c := oidctest.New(t, func() time.Time { return now })
	other := oidctest.New(t, time.Now)
	p := c.Provider()
	set := func(claim string, v any) func(map[string]any) {
		return func(claims map[string]any) { claims[claim] = v }
	}
	drop := func(claim string) func(map[string]any) {
		return func(claims map[string]any) { delete(claims, claim) }
	}
	otherCookie, _ := c.Begin(p)
	for name, tc := range map[string]struct {
		forge  func(map[string]any)
		sign   func([]byte) string
		query  func(url.Values)
		cookie string
		token  func(http.ResponseWriter) bool
		want   error
	}{
		"wrong nonce":             {forge: set("nonce", "n-0S6_WzA2Mj"), want: oidc.ErrAnswer},
		"no nonce":                {forge: drop("nonce"), want: oidc.ErrAnswer},
		"wrong audience":          {forge: set("aud", "another-client"), want: oidc.ErrAnswer},
		"no audience":             {forge: drop("aud"), want: oidc.ErrAnswer},
		"for another one as well": {forge: set("aud", []string{oidctest.ClientID, "another-client"}), want: oidc.ErrAnswer},
		"another azp":             {forge: set("azp", "another-client"), want: oidc.ErrAnswer},
		"expired":                 {forge: set("exp", now.Add(-time.Second).Unix()), want: oidc.ErrAnswer},
		"no expiry":               {forge: drop("exp"), want: oidc.ErrAnswer},
		"other issuer":            {forge: set("iss", "https://login.example.net"), want: oidc.ErrAnswer},
		"no issuer":               {forge: drop("iss"), want: oidc.ErrAnswer},
		"key of somebody else":    {sign: func(b []byte) string { return other.Signed(jose.ES256, other.Key, b) }, want: oidc.ErrAnswer},
		"key of no right kind": {sign: func(b []byte) string {
			return c.Signed(jose.HS256, []byte(strings.Repeat(oidctest.ClientSecret, 3)), b)
		}, want: oidc.ErrAnswer},
		"no signature":           {sign: func(b []byte) string { return "eyJhbGciOiJub25lIn0." + b64(b) + "." }, want: oidc.ErrAnswer},
		"no token":               {sign: func([]byte) string { return "" }, want: oidc.ErrAnswer},
		"garbage":                {sign: func([]byte) string { return "a.b.c" }, want: oidc.ErrAnswer},
		"wrong state":            {query: func(q url.Values) { q.Set("state", "af0ifjsldkj") }, want: oidc.ErrFlow},
		"no state":               {query: func(q url.Values) { q.Del("state") }, want: oidc.ErrFlow},
		"two states":             {query: func(q url.Values) { q.Add("state", q.Get("state")) }, want: oidc.ErrFlow},
		"cookie of another flow": {cookie: otherCookie, want: oidc.ErrFlow},
		"no cookie":              {cookie: "-", want: oidc.ErrFlow},
		"wrong iss":              {query: func(q url.Values) { q.Set("iss", "https://login.example.net") }, want: oidc.ErrAnswer},
		"no iss":                 {query: func(q url.Values) { q.Del("iss") }, want: oidc.ErrAnswer},
		"wrong code":             {query: func(q url.Values) { q.Set("code", "SplxlOBeZQQYbYS6WxSbIA") }, want: oidc.ErrAnswer},
		"no code":                {query: func(q url.Values) { q.Del("code") }, want: oidc.ErrAnswer},
		"two codes":              {query: func(q url.Values) { q.Add("code", "x") }, want: oidc.ErrAnswer},
		"denied":                 {query: func(q url.Values) { q.Set("error", "access_denied") }, want: account.ErrRefused},
		"token endpoint broken": {token: func(w http.ResponseWriter) bool {
			http.Error(w, oidctest.ClientSecret, http.StatusInternalServerError)
			return true
		}},
		"token endpoint talks nonsense": {token: func(w http.ResponseWriter) bool {
			_, err := w.Write([]byte("<html>" + oidctest.ClientSecret))
			return err == nil
		}},
	} {
		cookie, answer := c.Begin(p)
		if tc.cookie != "" {
			cookie = tc.cookie
		}
		if tc.query != nil {
			tc.query(answer)
		}
		c.Forge, c.Sign, c.Answer = tc.forge, tc.sign, tc.token
		got, err := p.Finish(t.Context(), cookie, answer)
		c.Forge, c.Sign, c.Answer = nil, nil, nil
		right := tc.want != nil && errors.Is(err, tc.want) || tc.want == nil && fault.IsUnavailable(err)
		if !right || got != (account.Identity{}) {
			t.Errorf("%s: %v, %v; want %v", name, got, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), oidctest.ClientSecret) {
			t.Errorf("%s: the error holds the secret: %v", name, err)
		}
	}
}

func TestAnswerIsGoodOnce(t *testing.T) {
	t.Parallel()
	c := oidctest.New(t, time.Now)
	p := c.Provider()
	cookie, answer := c.Begin(p)
	if _, err := p.Finish(t.Context(), cookie, answer); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Finish(t.Context(), cookie, answer); !errors.Is(err, oidc.ErrAnswer) {
		t.Errorf("the code was taken again: %v", err)
	}
}

func TestStolenCodeIsOfNoUseInAnotherBrowser(t *testing.T) {
	t.Parallel()
	c := oidctest.New(t, time.Now)
	p := c.Provider()
	_, stolen := c.Begin(p)
	cookie, answer := c.Begin(p)
	answer.Set("code", stolen.Get("code"))
	if _, err := p.Finish(t.Context(), cookie, answer); !errors.Is(err, oidc.ErrAnswer) {
		t.Errorf("%v; want it refused: its challenge is that of another browser", err)
	}
}

func TestSignInMayTakeTenMinutes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	c := oidctest.New(t, func() time.Time { return now })
	p := c.Provider()
	cookie, answer := c.Begin(p)
	began := now
	for _, d := range []time.Duration{oidc.FlowLifetime, -2 * time.Minute} {
		now = began.Add(d)
		if _, err := p.Finish(t.Context(), cookie, answer); !errors.Is(err, oidc.ErrFlow) {
			t.Errorf("after %v: %v", d, err)
		}
	}
	// The time in the cookie cannot be changed: state depends on it.
	now = began.Add(oidc.FlowLifetime)
	_, rest, _ := strings.Cut(cookie, ".")
	if _, err := p.Finish(t.Context(), "1773144060."+rest, answer); !errors.Is(err, oidc.ErrFlow) {
		t.Errorf("a younger cookie: %v", err)
	}
	now = began.Add(oidc.FlowLifetime - time.Second)
	if _, err := p.Finish(t.Context(), cookie, answer); err != nil {
		t.Error(err)
	}
}

func TestProviderThatIsDownStopsNobodyAndIsAskedAgain(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	c := oidctest.New(t, func() time.Time { return now })
	c.Down = true
	p := c.Provider() // no error
	if _, err := p.Begin(t.Context()); !fault.IsUnavailable(err) || !strings.Contains(err.Error(), c.URL()) {
		t.Fatalf("%v; want unavailable, with the issuer", err)
	}
	c.Down = false
	if _, err := p.Begin(t.Context()); !fault.IsUnavailable(err) || c.Asked != 0 {
		t.Errorf("%v, asked %d times; want it left alone for a while", err, c.Asked)
	}
	now = now.Add(5 * time.Second)
	for range 3 {
		c.Begin(p)
	}
	if c.Asked != 1 {
		t.Errorf("asked %d times for its configuration; want 1", c.Asked)
	}
	now = now.Add(time.Hour)
	c.Down = true
	if _, err := p.Begin(t.Context()); err != nil {
		t.Errorf("what was known is forgotten: %v", err)
	}
	now, c.Down = now.Add(5*time.Second), false
	cookie, answer := c.Begin(p)
	c.NewKey("second") // keys change
	if _, err := p.Finish(t.Context(), cookie, answer); err != nil || c.Asked != 2 {
		t.Errorf("%v, asked %d times; want 2", err, c.Asked)
	}
}

func TestConfigurationOfAnotherIssuerIsRefused(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]any){
		"issuer":   func(doc map[string]any) { doc["issuer"] = "https://login.example.net" },
		"no token": func(doc map[string]any) { delete(doc, "token_endpoint") },
		"types":    func(doc map[string]any) { doc["token_endpoint_auth_methods_supported"] = 7 },
	} {
		c := oidctest.New(t, time.Now)
		c.Config = change
		if r, err := c.Provider().Begin(t.Context()); !fault.IsUnavailable(err) {
			t.Errorf("%s: %q, %v; want an error", name, r.URL, err)
		}
	}
}

func TestSecretGoesWhereTheProviderWantsIt(t *testing.T) {
	t.Parallel()
	c := oidctest.New(t, time.Now)
	c.Config = func(doc map[string]any) {
		doc["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	}
	p := c.Provider()
	cookie, answer := c.Begin(p)
	if _, err := p.Finish(t.Context(), cookie, answer); err != nil || c.Basic != 0 {
		t.Errorf("%v; %d requests with the secret in the header, want 0", err, c.Basic)
	}
}

func TestOptionsNameEverythingThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := oidc.New(oidc.Options{Issuer: "http://login.example.com", RedirectURL: "mailyard.example", ClientSecret: secret.NewString(oidctest.ClientSecret),
		Landlord: []string{"admins"}, TenantAdmin: []string{"admins", ""}})
	for _, part := range []string{`issuer: "http://login.example.com" is not`, `redirect URL: "mailyard.example" is not`, "client id: is required", "role claim: is required",
		"tenant claim: is required", `the value "admins" of the role claim is given two roles`, "an empty value"} {
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), oidctest.ClientSecret) {
			t.Errorf("%v; want %s", err, part)
		}
	}
	if !fault.IsPermanent(err) {
		t.Error("it is not permanent")
	}
	if _, err := oidc.New(oidc.Options{Issuer: "https://login.example.com", RedirectURL: oidctest.Redirect, ClientID: "x", RoleClaim: "r"}); err == nil || !strings.Contains(err.Error(), "nobody could sign in") {
		t.Errorf("no values: %v", err)
	}
}
