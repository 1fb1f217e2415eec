package console

import (
	"html/template"
	"net/http"
)

// A page says how the frame around a page's content looks.
type page struct {
	Title   string  // of the window and, unless the content has a header of its own, of the page
	Section section // which entry of the navigation pane is current
	Tabs    []tab
	Bare    bool // no navigation pane: sign-in and the like
}

// layout is what the template "layout" shows.
type layout struct {
	page
	Theme   string // "light", "dark" or "": as the system has it
	Version string
	Who     *who // nil: nobody is signed in
	Groups  []navGroup
	Tenant  *tenantSwitch // nil: there is no choice
	Toasts  []toast
	Content template.HTML
}

// who is the account menu.
type who struct {
	Name string
	Role string
}

// page answers with a whole page: the named template in the frame.
func (r *request) page(name string, p page, data any) error {
	content, err := r.execute(name, data)
	if err != nil {
		return err
	}
	l := layout{page: p, Theme: r.theme(), Version: r.console.Version, Toasts: append(r.takeFlash(), r.toasts...), Content: template.HTML(content)}
	if r.signedIn() && !p.Bare {
		l.Who = &who{Name: r.actor.Name, Role: roleName(r.actor.Role)}
		if l.Groups, l.Tenant, err = r.navigation(p.Section); err != nil {
			return err
		}
	}
	html, err := r.execute("layout", l)
	if err != nil {
		return err
	}
	return r.send(html)
}

// part answers with a part of a page, for htmx to put where it belongs. Toasts
// go with it, out of band.
func (r *request) part(name string, data any) error {
	html, err := r.execute(name, data)
	if err != nil {
		return err
	}
	if len(r.toasts) > 0 {
		toasts, err := r.execute("toasts-oob", r.toasts)
		if err != nil {
			return err
		}
		html = append(html, toasts...)
	}
	return r.send(html)
}

// invalid makes the answer a 422: a form comes back with its problems.
func (r *request) invalid() { r.status = http.StatusUnprocessableEntity }

// theme returns what the switch of the theme wrote. It is put on the root
// element, so that no page shows the other theme first.
func (r *request) theme() string {
	switch theme := r.cookie(themeCookie); theme {
	case "light", "dark":
		return theme
	}
	return ""
}
