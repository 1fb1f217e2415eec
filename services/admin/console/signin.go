package console

import (
	"errors"
	"net/http"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/secret"
)

func (c *console) signInRoutes() []route {
	return []route{
		{pattern: "GET /sign-in", access: anyone, handle: c.showSignIn},
		{pattern: "POST /sign-in", access: anyone, handle: c.signIn},
		{pattern: "POST /sign-out", access: anyone, handle: c.signOut},
	}
}

// signInView is the page of the sign-in.
type signInView struct {
	Name     string
	Next     string
	Problem  string
	Unsafe   bool // the connection can be listened to
	Pending  bool // there is no account yet
	Provider string
}

func (c *console) showSignIn(r *request) error {
	next := localPath(r.FormValue("next"))
	if r.signedIn() {
		return r.redirect(next)
	}
	return c.signInPage(r, signInView{Next: next})
}

func (c *console) signInPage(r *request, v signInView) error {
	pending, err := c.Accounts.SetupPending(r.Context())
	if err != nil {
		return err
	}
	v.Pending, v.Unsafe, v.Provider = pending, !c.confidential(r.Request), c.provider()
	return r.page("sign-in", page{Title: "Sign in", Bare: true}, v)
}

func (c *console) signIn(r *request) error {
	v := signInView{Name: clip(r.PostFormValue("name"), 254), Next: localPath(r.PostFormValue("next"))}
	if !c.confidential(r.Request) {
		r.status = http.StatusForbidden
		return c.signInPage(r, v)
	}
	session, err := c.Accounts.SignIn(r.Context(), r.PostFormValue("name"), secret.NewString(r.PostFormValue("password")), c.from(r.Request))
	var throttled *account.ThrottledError
	switch {
	case errors.Is(err, account.ErrCredentials):
		r.status = http.StatusUnauthorized
		v.Problem = sentence(account.ErrCredentials.Error())
	case errors.As(err, &throttled):
		r.status = http.StatusTooManyRequests
		r.retryAfter(throttled.After)
		v.Problem = sentence(problemOf(err).Detail)
	case err != nil:
		return err
	default:
		return r.signIn(session, v.Next)
	}
	return c.signInPage(r, v)
}

func (c *console) signOut(r *request) error {
	if err := c.Accounts.SignOut(r.Context(), r.cookie(sessionCookie), c.from(r.Request)); err != nil {
		return err
	}
	r.dropCookie(sessionCookie)
	r.dropCookie(tenantCookie)
	r.tell(toneOK, "You are signed out.")
	return r.redirect("/sign-in")
}
