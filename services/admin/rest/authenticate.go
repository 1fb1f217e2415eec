package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// sessionCookies are the names that the console gives its cookie. The first is
// for https, where browsers bind it to this very host.
const (
	secureCookie = "__Host-mailyard"
	plainCookie  = "mailyard"
)

type actorKey struct{}

func withActor(ctx context.Context, a control.Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// actorOf returns who asks. Without authentication it is nobody, who may nothing.
func actorOf(ctx context.Context) control.Actor {
	a, _ := ctx.Value(actorKey{}).(control.Actor)
	return a
}

// An unauthenticatedError says why it is not known who asks.
type unauthenticatedError struct {
	detail string
	token  bool // an API token was given
}

func (e *unauthenticatedError) Error() string { return e.detail }

// challenge is the WWW-Authenticate header (RFC 6750, section 3).
func (e *unauthenticatedError) challenge() string {
	if e.token {
		return `Bearer realm="mailyard", error="invalid_token"`
	}
	return `Bearer realm="mailyard"`
}

// authenticate finds out who asks: by API token or, without one, by the session
// of the console.
func (s *server) authenticate(r *http.Request) (control.Actor, error) {
	from := s.proxies.Of(r)
	if given := r.Header.Values("Authorization"); len(given) > 0 {
		scheme, token, _ := strings.Cut(given[0], " ")
		if len(given) > 1 || !strings.EqualFold(scheme, "Bearer") {
			return control.Actor{}, &unauthenticatedError{detail: "send an API token as Authorization: Bearer TOKEN"}
		}
		if token = strings.TrimSpace(token); !s.Operator.IsZero() && s.Operator.Equal(secret.NewString(token)) {
			return control.Actor{Name: "operator", Role: control.RoleLandlord, From: from}, nil
		}
		a, err := s.Accounts.Token(r.Context(), token, from)
		for _, refused := range []error{account.ErrToken, account.ErrTokenRests} {
			if errors.Is(err, refused) {
				return a, &unauthenticatedError{detail: refused.Error(), token: true}
			}
		}
		return a, err
	}
	name := plainCookie
	if r.TLS != nil || strings.HasPrefix(s.URL, "https:") {
		name = secureCookie
	}
	cookie, err := r.Cookie(name)
	if err != nil {
		return control.Actor{}, &unauthenticatedError{detail: "send an API token as Authorization: Bearer TOKEN, or sign in"}
	}
	session, err := s.Accounts.Session(r.Context(), cookie.Value)
	if errors.Is(err, account.ErrSignedOut) {
		return control.Actor{}, &unauthenticatedError{detail: account.ErrSignedOut.Error()}
	}
	a := session.Actor
	a.From = from
	return a, err
}
