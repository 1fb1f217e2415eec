package config

import (
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
)

// assign fills a struct, given by pointer, from the node. What the node does
// not name stays as it is; so does what has a problem.
func (n *node) assign(into any) Problems {
	var problems Problems
	n.assignTo(reflect.ValueOf(into).Elem(), "", &problems)
	return problems
}

func (n *node) assignTo(v reflect.Value, path string, problems *Problems) {
	switch v.Kind() {
	case reflect.Struct:
		n.assignStruct(v, path, problems)
	case reflect.Slice:
		if !n.is(kindList, path, problems) {
			return
		}
		list := reflect.MakeSlice(v.Type(), len(n.list), len(n.list))
		for i, e := range n.list {
			e.assignTo(list.Index(i), element(path, i), problems)
		}
		v.Set(list)
	case reflect.String:
		if n.is(kindText, path, problems) {
			v.SetString(n.text)
		}
	case reflect.Bool:
		if n.is(kindBool, path, problems) {
			v.SetBool(n.text == "true")
		}
	case reflect.Int, reflect.Int64:
		if n.is(kindNumber, path, problems) {
			n.assignInt(v, path, problems)
		}
	default:
		panic(fmt.Sprintf("documents hold no %s", v.Type()))
	}
}

func (n *node) assignStruct(v reflect.Value, path string, problems *Problems) {
	if !n.is(kindObject, path, problems) {
		return
	}
	keys := keysOf(v.Type())
	for _, m := range n.members {
		i, ok := indexOf(keys, m.key)
		if !ok {
			problems.add(join(path, m.key), "is not a known key%s", suggestion(keys, m.key))
			continue
		}
		m.value.assignTo(v.Field(i), join(path, m.key), problems)
	}
}

// is reports whether the node is of the kind. The value itself is left out of
// the message: one that stands where it should not may be anything.
func (n *node) is(k nodeKind, path string, problems *Problems) bool {
	if n.kind == k {
		return true
	}
	switch {
	case n.kind == kindNull:
		problems.add(path, "is null, not %s; leave the key out to keep its value", k)
	case k == kindText && (n.kind == kindNumber || n.kind == kindBool):
		problems.add(path, "is %s, not text; put it in quotes", n.kind)
	default:
		problems.add(path, "is %s, not %s", n.kind, k)
	}
	return false
}

// assignInt takes whole numbers in any notation, 6e6 too.
func (n *node) assignInt(v reflect.Value, path string, problems *Problems) {
	i, err := strconv.ParseInt(n.text, 10, 64)
	if err != nil {
		i, err = wholeNumber(n.text)
	}
	if err != nil {
		problems.add(path, "%s %v", shorten(n.text), err)
		return
	}
	v.SetInt(i)
}

func wholeNumber(s string) (int64, error) {
	// What is longer, or has a longer exponent, is only costly.
	_, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	if len(s) > 40 || len(strings.TrimLeft(exponent, "+-0")) > 2 {
		return 0, errors.New("is out of range")
	}
	r, ok := new(big.Rat).SetString(s)
	switch {
	case !ok || !r.IsInt():
		return 0, errors.New("is not a whole number")
	case !r.Num().IsInt64():
		return 0, errors.New("is out of range")
	}
	return r.Num().Int64(), nil
}

func keysOf(t reflect.Type) []string {
	keys := make([]string, t.NumField())
	for i := range keys {
		keys[i], _, _ = strings.Cut(t.Field(i).Tag.Get("json"), ",")
	}
	return keys
}

func indexOf(keys []string, key string) (int, bool) {
	for i := range keys {
		if keys[i] == key {
			return i, true
		}
	}
	return 0, false
}

// suggestion names the key that was meant when only case or separators differ.
func suggestion(keys []string, key string) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
	}
	for _, k := range keys {
		if plain(k) == plain(key) {
			return "; did you mean " + k + "?"
		}
	}
	return ""
}
