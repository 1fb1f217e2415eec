package operation

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mailyard/mailyard/pkg/config"
)

// A shape checks input by the tags of its struct, as REST does, so that what one
// door refuses all of them refuse, in the same words.
type shape func() (huma.Registry, *huma.Schema)

func shapeOf(t reflect.Type) shape {
	return sync.OnceValues(func() (huma.Registry, *huma.Schema) {
		r := huma.NewMapRegistry("#/", func(t reflect.Type, hint string) string { return cmp.Or(t.PkgPath()+"."+t.Name(), hint) })
		return r, r.Schema(t, false, "")
	})
}

// check returns what is wrong with decoded JSON.
func (s shape) check(v any) config.Problems {
	registry, schema := s()
	var res huma.ValidateResult
	huma.Validate(registry, schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, v, &res)
	return Problems(res.Errors)
}

// Problems returns what huma found wrong with input as the problems that every
// door shows, by path. What was sent is never repeated: it may be a secret.
func Problems(errs []error) config.Problems {
	problems := make(config.Problems, 0, len(errs))
	for _, err := range errs {
		p := config.Problem{Message: err.Error()}
		if d, ok := err.(huma.ErrorDetailer); ok {
			p = problemOfDetail(d.ErrorDetail())
		}
		problems = append(problems, p)
	}
	slices.SortStableFunc(problems, func(a, b config.Problem) int { return cmp.Compare(a.Path, b.Path) })
	return problems
}

func problemOfDetail(d *huma.ErrorDetail) config.Problem {
	p := config.Problem{Path: shorten(d.Location), Message: d.Message}
	for _, place := range []string{"body", "query", "path", "header"} {
		if rest, ok := strings.CutPrefix(d.Location, place); ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			p.Path = shorten(strings.TrimPrefix(rest, "."))
			break
		}
	}
	if name, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name = strings.TrimSuffix(name, " to be present")
		p.Path = strings.TrimPrefix(p.Path+"."+name, ".")
		p.Message = "is required"
		return p
	}
	p.Message = plainly(d.Message)
	return p
}

// plainly says what huma says in the words of package config.
func plainly(message string) string {
	words := []struct{ begins, say string }{
		{"unexpected property", "is not a key that is known here"},
		{"unknown query parameter", "is not a parameter that is known here"},
		{"expected value to be one of ", "must be one of "},
		{"expected number >= ", "must be at least "},
		{"expected number <= ", "must be at most "},
		{"expected length >= ", "is too short; the least number of characters is "},
		{"expected length <= ", "is too long; the most characters are "},
		{"expected array length >= ", "has too few; the least number is "},
		{"expected array length <= ", "has too many; the most are "},
		{"expected boolean", "must be true or false"},
		{"expected integer", "must be a whole number"},
		{"invalid integer", "must be a whole number"},
		{"expected number", "must be a number"},
		{"expected string", "must be text"},
		{"expected array", "must be a list"},
		{"expected object", "must be an object"},
		{"required ", "is required"},
	}
	for _, w := range words {
		rest, ok := strings.CutPrefix(message, w.begins)
		switch {
		case !ok:
		case strings.HasSuffix(w.begins, " ") && w.begins != "required ":
			return w.say + strings.Trim(rest, `"`)
		default:
			return w.say
		}
	}
	return message
}

// maxText is the most characters of a text in an input, unless its tag says
// other. Documents have rules of their own.
const maxText = 4096

// The names of what is in an input: those of REST, where the body is the input,
// and those of its JSON.
func restNames() naming { return naming{"path", "query", "header", "json"} }
func jsonNames() naming { return naming{"json"} }

// naming lists the tags that name a field.
type naming []string

// texts returns what no text of an input may have: characters that are not
// UTF-8, and NUL, which not every database takes. Fields tagged text:"any" hold
// what is not for a database.
func texts(in any, names naming) config.Problems {
	var problems config.Problems
	names.walk(reflect.ValueOf(in), "", &problems)
	return problems
}

func (n naming) walk(v reflect.Value, path string, problems *config.Problems) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			n.walk(v.Elem(), path, problems)
		}
	case reflect.String:
		if message := wrongText(v.String()); message != "" {
			*problems = append(*problems, config.Problem{Path: path, Message: message})
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return // a document
		}
		for i := range v.Len() {
			n.walk(v.Index(i), fmt.Sprintf("%s[%d]", path, i), problems)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Tag.Get("text") != "any" && v.Type() != reflect.TypeFor[json.RawMessage]() {
				n.walk(v.Field(i), n.within(path, f), problems)
			}
		}
	}
}

// within returns the path of a field.
func (n naming) within(path string, f reflect.StructField) string {
	for _, tag := range n {
		if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" && (f.Name != "Body" || len(n) == 1) {
			return strings.TrimPrefix(path+"."+name, ".")
		}
	}
	return path // embedded, or the body
}

func wrongText(s string) string {
	switch {
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case strings.ContainsRune(s, 0):
		return "holds a NUL character"
	case utf8.RuneCountInString(s) > maxText:
		return fmt.Sprintf("has %d characters; at most %d are allowed", utf8.RuneCountInString(s), maxText)
	}
	return ""
}
