package console

import (
	"fmt"
	"html/template"
	"reflect"
	"strings"
	"time"
)

// A look is what pages are made of: it is the same for every console.
type look struct {
	assets    assets
	templates *template.Template
}

func loadLook() (look, error) {
	a, err := loadAssets()
	if err != nil {
		return look{}, err
	}
	t, err := a.parse()
	return look{assets: a, templates: t}, err
}

// parse reads every template. A page is a template of its own name; the frame
// around it is "layout"; components.html and form.html hold what pages are made
// of.
func (a assets) parse() (*template.Template, error) {
	return template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"asset":    a.url,
		"icon":     a.icon,
		"attr":     attribute,
		"toast":    func(t tone, text string) toast { return toast{t, text} },
		"sentence": sentence,
		"badge":    func(t tone, text string) badge { return badge{Tone: t, Text: text} },
		"ago":      agoNow,
		"time":     absolute,
		"duration": durationText,
		"size":     sizeText,
		"shortsize": func(n any) (string, error) {
			i, err := integer(n)
			return shortSize(i), err
		},
		"count": func(n any) (string, error) {
			i, err := integer(n)
			return countText(i), err
		},
		"plural": func(n any, one, many string) (string, error) {
			i, err := integer(n)
			return plural(i, one, many), err
		},
		"path": joinPath,
		"role": roleName,
	}).ParseFS(templateFiles, "templates/*.html")
}

// icon returns an icon of icons.svg, for ornament only: what it means has to
// stand in text beside it.
func (a assets) icon(name string) (template.HTML, error) {
	sprite, err := a.url("icons.svg")
	if err != nil {
		return "", err
	}
	return template.HTML(fmt.Sprintf(`<svg class="icon" width="16" height="16" aria-hidden="true" focusable="false"><use href="%s#%s"/></svg>`,
		sprite, template.HTMLEscapeString(name))), nil
}

// attribute writes an attribute of a control. Only names that tell app.js and
// htmx something are taken; what they hold is escaped.
func attribute(name, value string) (template.HTMLAttr, error) {
	if !strings.HasPrefix(name, "data-") && !strings.HasPrefix(name, "hx-") || elementID(name) != name || strings.HasPrefix(name, "hx-on") {
		return "", fmt.Errorf("%q is no attribute that a field may have", name)
	}
	return template.HTMLAttr(name + `="` + template.HTMLEscapeString(value) + `"`), nil
}

// integer takes the numbers of every type that templates have.
func integer(n any) (int64, error) {
	v := reflect.ValueOf(n)
	switch {
	case v.CanInt():
		return v.Int(), nil
	case v.CanUint():
		return int64(v.Uint()), nil
	}
	return 0, fmt.Errorf("%T is no whole number", n)
}

// agoNow writes a time, or a pointer to one, which may be nil.
func agoNow(v any) (template.HTML, error) {
	switch t := v.(type) {
	case time.Time:
		return ago(time.Now(), t), nil
	case *time.Time:
		if t == nil {
			return ago(time.Now(), time.Time{}), nil
		}
		return ago(time.Now(), *t), nil
	}
	return "", fmt.Errorf("%T is no time", v)
}
