package rest

import (
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// correct says of schemas what huma does not see in their types: numbers that
// JSON has as texts, and objects that may be null.
func correct(registry huma.Registry) {
	for name, s := range registry.Map() {
		if t := registry.TypeFromRef(schemaPrefix + name); t != nil && t.Kind() == reflect.Struct && s.Properties != nil {
			correctFields(t, s)
		}
	}
}

func correctFields(t reflect.Type, s *huma.Schema) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			if f.Type.Kind() == reflect.Struct {
				correctFields(f.Type, s)
			}
			continue
		}
		p := s.Properties[name]
		switch {
		case p == nil:
		case strings.Contains(options, "string"):
			s.Properties[name] = &huma.Schema{Type: huma.TypeString, Description: p.Description, Pattern: "^[0-9]+$"}
		case f.Type.Kind() == reflect.Pointer && p.Ref != "" && !strings.Contains(options, "omit"):
			s.Properties[name] = &huma.Schema{AnyOf: []*huma.Schema{{Ref: p.Ref}, {Type: "null"}}, Description: p.Description}
		}
	}
}
