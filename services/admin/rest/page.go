package rest

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mailyard/mailyard/services/admin/operation"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS []byte

const (
	pagePath  = "/api/docs"
	stylePath = "/api/docs.css"
)

// isDocument reports whether a route describes the API and needs no sign-in: it
// tells nothing that is not in the source.
func isDocument(pattern string) bool {
	return strings.HasSuffix(pattern, "/openapi.json") || strings.HasSuffix(pattern, "/openapi.yaml") || strings.HasSuffix(pattern, "/{$}")
}

// serveDocument adds the routes of the description. It is written out when
// somebody wants it.
func (s *server) serveDocument(api *huma.OpenAPI) {
	serve := func(path, kind, policy string, write func() ([]byte, error)) {
		content := sync.OnceValues(write)
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			b, err := content()
			if err != nil {
				s.refuse(w, r, fmt.Errorf("writing %s: %w", path, err))
				return
			}
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Content-Security-Policy", policy)
			_, _ = w.Write(b) // a client that went away
		})
	}
	const closed = "default-src 'none'; frame-ancestors 'none'"
	const open = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	serve(Prefix+"/openapi.json", "application/openapi+json", closed, func() ([]byte, error) { return json.MarshalIndent(api, "", "  ") })
	serve(Prefix+"/openapi.yaml", "application/openapi+yaml", closed, api.YAML)
	serve(stylePath, "text/css; charset=utf-8", closed, func() ([]byte, error) { return pageCSS, nil })
	serve(pagePath, "text/html; charset=utf-8", open, func() ([]byte, error) { return render(api) })
	for _, path := range []string{"/api/{$}", Prefix + "/{$}"} {
		s.mux.Handle("GET "+path, http.RedirectHandler(pagePath, http.StatusSeeOther))
	}
}

// What the page shows.
type pageView struct {
	Title, Version, Style, JSON, YAML string
	About                             []string
	Groups                            []groupView
	Schemas                           []schemaView
}

type groupView struct {
	Name, Title, Description string
	Operations               []operationView
}

type operationView struct {
	ID, Method, Path, Summary string
	Description               []string
	Parameters                []rowView
	Body                      string // name of the schema, with Fields if it has none
	Fields                    []rowView
	Answers                   []rowView
	Curl                      string
}

type schemaView struct {
	Name, Description string
	Fields            []rowView
}

type rowView struct {
	Name, Type, Ref, Description string
	Where                        string
	Required                     bool
}

// render makes the page out of the document, so that it says the same.
func render(api *huma.OpenAPI) ([]byte, error) {
	view := pageView{Title: api.Info.Title, Version: api.Info.Version, Style: stylePath, JSON: Prefix + "/openapi.json", YAML: Prefix + "/openapi.yaml", About: paragraphs(api.Info.Description)}
	for _, n := range nouns {
		g := groupView{Name: n.name, Title: n.title, Description: n.description}
		for _, o := range operation.All() {
			if noun, _, _ := strings.Cut(o.Name, "."); noun == n.name {
				g.Operations = append(g.Operations, operationOf(api, o))
			}
		}
		if len(g.Operations) > 0 {
			view.Groups = append(view.Groups, g)
		}
	}
	all := api.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s, err := keywords(all[name])
		if err != nil {
			return nil, err
		}
		view.Schemas = append(view.Schemas, schemaView{Name: name, Description: text(s["description"]), Fields: fieldsOf(s)})
	}
	t, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, view)
	return b.Bytes(), err
}

func operationOf(api *huma.OpenAPI, o operation.Operation) operationView {
	h := routeOf(api.Paths[o.Path], o.Method)
	v := operationView{ID: o.Name, Method: o.Method, Path: Prefix + o.Path, Summary: o.Summary, Description: paragraphs(h.Description)}
	for _, p := range h.Parameters {
		s, err := keywords(p.Schema)
		if err != nil {
			continue // it was encoded before, for the document
		}
		v.Parameters = append(v.Parameters, rowView{Name: p.Name, Where: p.In, Type: typeOf(s), Description: cmp.Or(p.Description, text(s["description"])), Required: p.Required})
	}
	var example any
	if h.RequestBody != nil {
		media := h.RequestBody.Content[jsonType]
		if s, err := keywords(media.Schema); err == nil {
			v.Body = refOf(s)
			v.Fields = fieldsOf(s)
		}
		example = media.Example
	}
	var refusals []string
	for _, status := range slices.Sorted(maps.Keys(h.Responses)) {
		r := h.Responses[status]
		row := rowView{Name: status, Description: r.Description}
		for _, kind := range slices.Sorted(maps.Keys(r.Content)) {
			if s, err := keywords(r.Content[kind].Schema); err == nil && refOf(s) != "" {
				row.Ref = refOf(s)
				break
			}
		}
		if row.Ref != "Problem" {
			v.Answers = append(v.Answers, row)
			continue
		}
		refusals = append(refusals, row.Name+" "+row.Description)
	}
	v.Answers = append(v.Answers, rowView{Name: "Others", Description: strings.Join(refusals, ", "), Ref: "Problem"})
	v.Curl = curl(o, example)
	return v
}

// routeOf returns the operation of a method.
func routeOf(p *huma.PathItem, method string) *huma.Operation {
	switch method {
	case http.MethodGet:
		return p.Get
	case http.MethodPut:
		return p.Put
	case http.MethodDelete:
		return p.Delete
	case http.MethodPatch:
		return p.Patch
	}
	return p.Post
}

// curl is a command to try it with.
func curl(o operation.Operation, example any) string {
	lines := []string{`curl -H "Authorization: Bearer $MAILYARD_TOKEN"`}
	if o.Method != http.MethodGet {
		lines[0] += " -X " + o.Method
	}
	if o.Streams {
		lines = append(lines, `-H 'Accept: `+linesType+`'`)
	}
	if o.Method == http.MethodPut && strings.HasSuffix(o.Name, ".put") {
		lines = append(lines, `-H 'If-None-Match: *'`)
	}
	if hasBody(o) {
		lines = append(lines, `-H 'Content-Type: `+jsonType+`'`)
	}
	if example != nil {
		if raw, err := json.Marshal(example); err == nil {
			lines = append(lines, "-d '"+string(raw)+"'")
		}
	}
	path := o.Path
	for name, value := range map[string]string{"{tenant}": "acme", "{folder}": "support", "{mailbox}": "info", "{mail}": "MAIL", "{letter}": "LETTER", "{position}": "1"} {
		path = strings.ReplaceAll(path, name, value)
	}
	path = strings.NewReplacer("{", "", "}", "").Replace(path)
	if o.Bytes {
		lines = append(lines, "-OJ")
	}
	return strings.Join(append(lines, "http://127.0.0.1:8420"+Prefix+path), " \\\n  ")
}

func paragraphs(s string) []string {
	var list []string
	for _, p := range strings.Split(s, "\n\n") {
		if p = strings.TrimSpace(strings.ReplaceAll(p, "`", "")); p != "" {
			list = append(list, p)
		}
	}
	return list
}
