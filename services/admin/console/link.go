package console

import (
	"errors"
	"net/http"
	"time"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/secret"
)

// linkAge is how long a one-time link stays in the browser that followed it.
const linkAge = time.Hour

// linkPage is the page of operation.InvitePath.
const linkPage = "/link"

func (c *console) linkRoutes() []route {
	return []route{
		{pattern: "GET " + linkPage, access: anyone, handle: c.showLink},
		{pattern: "POST " + linkPage, access: anyone, handle: c.followLink},
		{pattern: "POST " + linkPage + "/open", access: anyone, handle: c.openLink},
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

// openLink takes the token that app.js found behind the # of the address. There
// no server, log or referrer sees it; from here on it is in a cookie, so that it
// stays neither in the history nor on the screen.
func (c *console) openLink(r *request) error {
	token := r.PostFormValue("token")
	if _, err := c.Accounts.Link(r.Context(), token); err != nil {
		return err
	}
	r.setCookie(linkCookie, token, linkAge)
	return r.redirect(linkPage)
}

// showLink asks for a password, once the link is opened.
func (c *console) showLink(r *request) error {
	cookie := r.cookie(linkCookie)
	if cookie == "" {
		return r.page("link-open", page{Title: "One-time link", Bare: true}, nil)
	}
	link, err := c.Accounts.Link(r.Context(), cookie)
	if errors.Is(err, account.ErrLink) {
		r.dropCookie(linkCookie)
		return r.page("link-open", page{Title: "One-time link", Bare: true}, nil)
	}
	if err != nil {
		return err
	}
	return c.askPassword(r, c.linkForm(r, link))
}

func (c *console) linkForm(r *request, link account.Link) linkView {
	return linkView{
		Setup: link.Account == "", Account: link.Account, Unsafe: !c.confidential(r.Request),
		Name:     field{Name: "name", Label: "Name", Value: clip(r.PostFormValue("name"), 254), Complete: "username", Required: true, Help: "To sign in with."},
		Password: field{Name: "password", Label: "Password", Widget: widgetPassword, Required: true, Help: "At least 12 characters. A few words are good."},
	}
}

func (c *console) askPassword(r *request, v linkView) error {
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
		return c.askPassword(r, c.linkForm(r, link))
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
	return c.askPassword(r, v)
}
