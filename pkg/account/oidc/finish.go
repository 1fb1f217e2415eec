package oidc

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/fault"
)

// Errors of Finish that callers tell apart, besides *account.RefusedError, whose
// reason is for the person, and fault.Unavailable.
var (
	// ErrFlow: the answer does not belong to a sign-in that this browser began
	// within FlowLifetime.
	ErrFlow = errors.New("the sign-in was not begun in this browser, or it took too long; begin again")
	// ErrAnswer: the provider's answer is not to be trusted. What is wrapped with
	// it is for the log.
	ErrAnswer = errors.New("the identity provider's answer was refused; begin again")
)

// Finish checks the provider's answer: cookie is that of Begin, query is that of
// the callback page. The caller deletes the cookie, whatever the result.
func (p *Provider) Finish(ctx context.Context, cookie string, query url.Values) (account.Identity, error) {
	id, err := p.finish(ctx, cookie, query)
	if err != nil {
		return account.Identity{}, fmt.Errorf("signing in with %s: %w", p.options.Name, err)
	}
	return id, nil
}

func (p *Provider) finish(ctx context.Context, cookie string, query url.Values) (id account.Identity, err error) {
	f, ok := parseFlow(cookie)
	if !ok || f.over(p.options.Now()) || !same(one(query, "state"), f.state()) {
		return id, ErrFlow
	}
	d, err := p.discover(ctx)
	if err != nil {
		return id, err
	}
	if iss := one(query, "iss"); iss != p.options.Issuer && (d.namesIss || query.Has("iss")) {
		return id, fmt.Errorf("%w: it comes from another issuer", ErrAnswer)
	}
	if query.Has("error") {
		return id, &account.RefusedError{Reason: fmt.Sprintf("%s says %s; ask your administrator", p.options.Name, oauthError(query.Get("error")))}
	}
	code := one(query, "code")
	if code == "" {
		return id, fmt.Errorf("%w: it holds no code", ErrAnswer)
	}
	raw, err := p.exchange(ctx, d, f, code)
	if err != nil {
		return id, err
	}
	limited, cancel := context.WithTimeout(ctx, requestLimit) // it may have to fetch keys
	defer cancel()
	token, err := d.verifier.Verify(limited, raw)
	if err != nil {
		return id, fmt.Errorf("%w: verifying ID token: %w", ErrAnswer, err)
	}
	if !same(token.Nonce, f.nonce()) {
		return id, fmt.Errorf("%w: the ID token was made for another sign-in", ErrAnswer)
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return id, fmt.Errorf("%w: reading claims: %w", ErrAnswer, err)
	}
	// OpenID Connect Core, section 3.1.3.7, items 4 and 5.
	if azp, there := claims["azp"]; there && azp != p.options.ClientID || !there && len(token.Audience) > 1 {
		return id, fmt.Errorf("%w: the ID token was made for another client", ErrAnswer)
	}
	return p.identity(token, claims)
}

// exchange gives the code for an ID token.
func (p *Provider) exchange(ctx context.Context, d discovered, f flow, code string) (string, error) {
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.options.Client), requestLimit)
	defer cancel()
	token, err := d.oauth2.Exchange(ctx, code, oauth2.VerifierOption(f.verifier()))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.Response.StatusCode < 500:
		// Not the body, which may hold anything.
		return "", fmt.Errorf("%w: exchanging code: status %d, %s", ErrAnswer, refused.Response.StatusCode, oauthError(refused.ErrorCode))
	case errors.As(err, &refused):
		return "", fault.Unavailable(fmt.Errorf("exchanging code: status %d", refused.Response.StatusCode))
	case err != nil:
		return "", fault.Unavailable(fmt.Errorf("exchanging code: %w", err))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return "", fmt.Errorf("%w: it holds no ID token", ErrAnswer)
	}
	return raw, nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// one returns a parameter that stands there once, "" otherwise.
func one(query url.Values, key string) string {
	if len(query[key]) != 1 {
		return ""
	}
	return query[key][0]
}

// oauthError returns an error code if it is one of RFC 6749 (sections 4.1.2.1 and
// 5.2) or OpenID Connect Core (section 3.1.2.6): what else stands there is not
// for our pages and logs.
func oauthError(code string) string {
	known := []string{"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope", "server_error", "temporarily_unavailable",
		"invalid_client", "invalid_grant", "unsupported_grant_type", "interaction_required", "login_required", "account_selection_required", "consent_required"}
	if slices.Contains(known, code) {
		return code
	}
	return "an error without a known code"
}
