package rest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// keywords returns a schema as it stands in the document, whichever way it came
// into it.
func keywords(schema any) (map[string]any, error) {
	raw, err := json.Marshal(schema)
	if err != nil {
		return nil, err
	}
	var k map[string]any
	err = json.Unmarshal(raw, &k)
	return k, err
}

// fieldsOf lists the properties of a schema, those of nested objects by path.
func fieldsOf(s map[string]any) []rowView {
	properties, _ := s["properties"].(map[string]any)
	required, _ := s["required"].([]any)
	var rows []rowView
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p, ok := properties[name].(map[string]any)
		if !ok {
			continue
		}
		rows = append(rows, rowView{Name: name, Type: typeOf(p), Ref: refOf(p), Description: text(p["description"]), Required: slices.Contains(required, any(name))})
		if p["type"] != "object" {
			continue
		}
		for _, inner := range fieldsOf(p) {
			inner.Name = name + "." + inner.Name
			rows = append(rows, inner)
		}
	}
	return rows
}

// refOf names the schema that another one refers to, itself or for its items.
func refOf(s map[string]any) string {
	if ref := text(s["$ref"]); ref != "" {
		return strings.TrimPrefix(ref, schemaPrefix)
	}
	if items, ok := s["items"].(map[string]any); ok {
		return refOf(items)
	}
	return ""
}

// typeOf says in a few words what a value may be.
func typeOf(s map[string]any) string {
	var words []string
	switch t := s["type"].(type) {
	case string:
		words = append(words, t)
	case []any:
		for _, one := range t {
			if one != "null" {
				words = append(words, text(one))
			}
		}
		words = []string{strings.Join(words, " or ")}
	}
	if items, ok := s["items"].(map[string]any); ok && refOf(items) == "" {
		words = append(words, "of "+typeOf(items))
	}
	if list, ok := s["enum"].([]any); ok && len(list) <= 12 {
		var values []string
		for _, v := range list {
			values = append(values, fmt.Sprint(v))
		}
		words = append(words, "("+strings.Join(values, ", ")+")")
	}
	for _, k := range []struct{ keyword, say string }{{"format", "%v"}, {"minimum", "from %v"}, {"maximum", "to %v"}, {"maxLength", "at most %v characters"}, {"maxItems", "at most %v"}, {"default", "default %v"}} {
		if v, ok := s[k.keyword]; ok && v != "" && !(k.keyword == "format" && (v == "int64" || v == "int32")) {
			words = append(words, fmt.Sprintf(k.say, plain(v)))
		}
	}
	return strings.Join(words, " ")
}

// plain writes numbers without an exponent, and other values as JSON.
func plain(v any) string {
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("%.0f", f)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return "" // it came from JSON
	}
	return strings.Trim(string(raw), `"`)
}

func text(v any) string {
	s, _ := v.(string)
	return s
}
