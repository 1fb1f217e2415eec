package console

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/account/oidc"
	"github.com/mailyard/mailyard/pkg/fault"
)

// CallbackPath is where an identity provider sends browsers back to: below the
// console's URL it is the redirect URL of oidc.Options.
const CallbackPath = "/oidc/callback"

func (c *console) oidcRoutes() []route {
	if c.OIDC == nil {
		return nil
	}
	return []route{
		{pattern: "GET /oidc", access: anyone, handle: c.beginOIDC},
		{pattern: "GET " + CallbackPath, access: anyone, handle: c.finishOIDC},
	}
}

// provider is what the button of the sign-in elsewhere says; "": there is none.
func (c *console) provider() string {
	switch {
	case c.OIDC == nil:
		return ""
	case c.OIDCName == "":
		return "OpenID Connect"
	}
	return c.OIDCName
}

// beginOIDC sends the browser to the provider. It is a link, not a form: form-action
// of the Content Security Policy would stop the redirect, and there is nothing to
// protect, the state is bound to the browser by a cookie.
func (c *console) beginOIDC(r *request) error {
	if !c.confidential(r.Request) {
		return r.redirect("/sign-in")
	}
	begun, err := c.OIDC.Begin(r.Context())
	if fault.IsUnavailable(err) {
		c.log.Warn("beginning a sign-in elsewhere", zap.Error(err))
		r.status = http.StatusServiceUnavailable
		return c.signInPage(r, signInView{Next: localPath(r.FormValue("next")), Problem: c.provider() + " does not answer. Try again in a moment, or sign in with a local account."})
	}
	if err != nil {
		return err
	}
	r.setCookie(oidcCookie, begun.Cookie.Reveal(), oidc.FlowLifetime)
	r.setCookie(nextCookie, localPath(r.FormValue("next")), oidc.FlowLifetime)
	r.started = true
	http.Redirect(r.w, r.Request, begun.URL, http.StatusSeeOther)
	return nil
}

// finishOIDC is where the provider sends the browser back to.
func (c *console) finishOIDC(r *request) error {
	cookie, next := r.cookie(oidcCookie), r.cookie(nextCookie)
	r.dropCookie(oidcCookie)
	r.dropCookie(nextCookie)
	session, err := c.external(r, cookie)
	if err == nil {
		return r.signIn(session, next)
	}
	c.log.Info("refusing a sign-in elsewhere", zap.String("from", c.from(r.Request)), zap.Error(err))
	v := signInView{Next: localPath(next)}
	var refused *account.RefusedError
	var throttled *account.ThrottledError
	switch {
	case errors.As(err, &refused):
		r.status, v.Problem = http.StatusForbidden, sentence(refused.Reason)
	case errors.As(err, &throttled):
		r.retryAfter(throttled.After)
		r.status, v.Problem = http.StatusTooManyRequests, problemOf(err).Detail
	case errors.Is(err, oidc.ErrFlow):
		r.status, v.Problem = http.StatusBadRequest, sentence(oidc.ErrFlow.Error())
	case errors.Is(err, oidc.ErrAnswer):
		r.status, v.Problem = http.StatusForbidden, sentence(oidc.ErrAnswer.Error())
	case fault.IsUnavailable(err):
		r.status, v.Problem = http.StatusServiceUnavailable, c.provider()+" does not answer. Try again in a moment."
	default:
		return err
	}
	return c.signInPage(r, v)
}

// external makes a session of the provider's answer. One that is refused before
// it is known who comes stands in the audit too.
func (c *console) external(r *request, cookie string) (account.Session, error) {
	ctx, from := r.Context(), c.from(r.Request)
	id, err := c.OIDC.Finish(ctx, cookie, r.URL.Query())
	var refused *account.RefusedError
	switch {
	case errors.As(err, &refused):
		return account.Session{}, errors.Join(err, c.Accounts.RefusedExternal(ctx, from, refused.Reason))
	case errors.Is(err, oidc.ErrAnswer):
		return account.Session{}, errors.Join(err, c.Accounts.RefusedExternal(ctx, from, oidc.ErrAnswer.Error()))
	case err != nil:
		return account.Session{}, err
	}
	return c.Accounts.SignInExternal(ctx, id, from)
}
