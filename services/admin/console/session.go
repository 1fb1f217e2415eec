package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/mailyard/mailyard/pkg/account"
)

// identify finds out who asks. A cookie that is not valid any more is dropped.
func (r *request) identify() error {
	cookie := r.cookie(sessionCookie)
	if cookie == "" {
		return nil
	}
	session, err := r.console.Accounts.Session(r.Context(), cookie)
	if errors.Is(err, account.ErrSignedOut) {
		r.dropCookie(sessionCookie)
		r.expired = true
		return nil
	}
	if err != nil {
		return err
	}
	r.session = session
	r.actor = session.Account.Actor(r.console.from(r.Request))
	return nil
}

// signIn gives the browser a session that was just made.
func (r *request) signIn(s account.Session, next string) error {
	r.setCookie(sessionCookie, s.Cookie.Reveal(), account.SessionLifetime)
	return r.redirect(localPath(next))
}

// toSignIn sends a browser that is not signed in to the sign-in, and afterwards
// back.
func (r *request) toSignIn() {
	next := r.URL.RequestURI()
	if r.partial() {
		next = ""
		if u, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil {
			next = u.RequestURI()
		}
	} else if r.Method != http.MethodGet {
		next = ""
	}
	if r.expired {
		r.tell(toneWarn, "Your session ended. Sign in again.")
		r.keepFlash()
	}
	to := "/sign-in"
	if next = localPath(next); next != "/" {
		to += "?next=" + url.QueryEscape(next)
	}
	if r.partial() {
		r.w.Header().Set("HX-Redirect", to)
		r.w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(r.w, r.Request, to, http.StatusSeeOther)
}

// localPath returns a path of this console, "/" for everything that could lead
// elsewhere.
func localPath(p string) string {
	u, err := url.Parse(p)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(p, "/") ||
		strings.HasPrefix(p, "//") || strings.ContainsAny(p, "\\\r\n\t\x00") {
		return "/"
	}
	return p
}
