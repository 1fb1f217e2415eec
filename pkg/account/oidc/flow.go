package oidc

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/secret"
)

// FlowLifetime is how long somebody may take at the provider. The cookie should
// live as long.
const FlowLifetime = 10 * time.Minute

// A flow is one sign-in on its way. State, nonce and PKCE verifier are derived
// from a secret that only the browser holds, in a cookie: whoever cannot read the
// cookie can neither make an answer that fits the browser nor use a code that was
// meant for it. Nothing is kept here, so any replica can finish what another one
// began.
type flow struct {
	secret [32]byte
	begun  int64 // Unix time; every derived value depends on it
}

func newFlow(now time.Time) flow {
	f := flow{begun: now.Unix()}
	rand.Read(f.secret[:]) // never fails
	return f
}

func (f flow) cookie() secret.String {
	return secret.NewString(strconv.FormatInt(f.begun, 10) + "." + base64.RawURLEncoding.EncodeToString(f.secret[:]))
}

// parseFlow reads what cookie wrote, in the one way to write it.
func parseFlow(s string) (flow, bool) {
	at, text, ok := strings.Cut(s, ".")
	begun, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || len(text) != base64.RawURLEncoding.EncodedLen(32) {
		return flow{}, false
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != 32 {
		return flow{}, false
	}
	f := flow{begun: begun}
	copy(f.secret[:], raw)
	if f.cookie().Reveal() != s {
		return flow{}, false
	}
	return f, true
}

// over reports whether the flow took too long.
func (f flow) over(now time.Time) bool {
	age := now.Sub(time.Unix(f.begun, 0))
	return age < -time.Minute || age >= FlowLifetime // a replica's clock may be a little behind
}

func (f flow) state() string    { return f.derive("state") }
func (f flow) nonce() string    { return f.derive("nonce") }
func (f flow) verifier() string { return f.derive("verifier") } // 43 characters (RFC 7636, section 4.1)

func (f flow) derive(what string) string {
	mac := hmac.New(sha256.New, f.secret[:])
	mac.Write([]byte(what + " " + strconv.FormatInt(f.begun, 10)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}
