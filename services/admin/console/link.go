package console

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/secret"
)

// linkAge is how long a one-time link stays in the browser that followed it.
const linkAge = time.Hour

// LinkPath returns the path of a one-time link: that of the first landlord, an
// invitation, or a way to a new password.
func LinkPath(token secret.String) string {
	return "/link?token=" + url.QueryEscape(token.Reveal())
}

func (c *console) linkRoutes() []route {
	return []route{
		{pattern: "GET /link", access: anyone, handle: c.showLink},
		{pattern: "POST /link", access: anyone, handle: c.followLink},
	}
}

// linkView is the page on which a password is set for the first time, or anew.
type linkView struct {
	Setup    bool // of the first landlord, who chooses a name
	Account  string
	Unsafe   bool
	Name     field
	Password field
	Detail   string
}

// showLink takes the token out of the address at once, so that it stays neither
// in the history nor on the screen, and asks for a password.
func (c *console) showLink(r *request) error {
	if token := r.FormValue("token"); token != "" {
		r.setCookie(linkCookie, clip(token, 200), linkAge)
		r.w.Header().Set("Referrer-Policy", "no-referrer")
		return r.redirect("/link")
	}
	link, err := c.Accounts.Link(r.Context(), r.cookie(linkCookie))
	if err != nil {
		return err
	}
	return c.linkPage(r, c.linkForm(r, link))
}

func (c *console) linkForm(r *request, link account.Link) linkView {
	return linkView{
		Setup: link.Account == "", Account: link.Account, Unsafe: !c.confidential(r.Request),
		Name:     field{Name: "name", Label: "Name", Value: clip(r.PostFormValue("name"), 254), Complete: "username", Required: true, Help: "To sign in with."},
		Password: field{Name: "password", Label: "Password", Widget: widgetPassword, Required: true, Help: "At least 12 characters. A few words are good."},
	}
}

func (c *console) linkPage(r *request, v linkView) error {
	title := "Set your password"
	if v.Setup {
		title = "Create the landlord's account"
	}
	return r.page("link", page{Title: title, Bare: true}, v)
}

func (c *console) followLink(r *request) error {
	token := r.cookie(linkCookie)
	link, err := c.Accounts.Link(r.Context(), token)
	if err != nil {
		return err
	}
	if !c.confidential(r.Request) {
		r.status = http.StatusForbidden
		return c.linkPage(r, c.linkForm(r, link))
	}
	var session account.Session
	password := secret.NewString(r.PostFormValue("password"))
	if link.Account == "" {
		session, err = c.Accounts.CompleteSetup(r.Context(), token, r.PostFormValue("name"), password, c.from(r.Request))
	} else {
		session, err = c.Accounts.CompleteReset(r.Context(), token, password, c.from(r.Request))
	}
	if err == nil {
		r.dropCookie(linkCookie)
		r.tell(toneOK, "Your password is set. You are signed in as %s.", session.Account.Name)
		return r.signIn(session, "/")
	}
	v := c.linkForm(r, link)
	f := form{Groups: []fieldset{{Fields: []field{v.Name, v.Password}}}}
	if errors.Is(err, account.ErrLink) || errors.Is(err, account.ErrSetupDone) || !f.refuse(err) {
		return err
	}
	v.Name, v.Password, v.Detail = f.Groups[0].Fields[0], f.Groups[0].Fields[1], f.Detail
	r.invalid()
	return c.linkPage(r, v)
}
