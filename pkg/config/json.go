package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

const (
	maxDepth    = 32      // levels; our documents nest two
	maxDocument = 2 << 20 // octets of JSON
)

var errTooDeep = errors.New("it nests too deeply")

// parseJSON reads one JSON object. A key that stands twice is a problem, which
// encoding/json alone would not see. The node is nil if it is no JSON object.
func parseJSON(raw []byte) (*node, Problems) {
	var problems Problems
	if len(raw) > maxDocument {
		problems.add("", "has %d bytes; at most %d are allowed", len(raw), maxDocument)
		return nil, problems
	}
	if !utf8.Valid(raw) {
		problems.add("", "is not UTF-8")
		return nil, problems
	}
	if !json.Valid(raw) {
		var syntax any
		problems.add("", "is not JSON: %v", json.Unmarshal(raw, &syntax))
		return nil, problems
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	n, err := readJSON(d, "", 0, &problems)
	if err != nil {
		problems.add("", "is not JSON: %v", err)
		return nil, problems
	}
	if n.kind != kindObject {
		problems.add("", "is %s, not %s", n.kind, kindObject)
		return nil, problems
	}
	return n, problems
}

func readJSON(d *json.Decoder, path string, depth int, problems *Problems) (*node, error) {
	if depth > maxDepth {
		return nil, errTooDeep
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case nil:
		return &node{kind: kindNull}, nil
	case bool:
		return &node{kind: kindBool, text: fmt.Sprint(v)}, nil
	case json.Number:
		return &node{kind: kindNumber, text: v.String()}, nil
	case string:
		return &node{kind: kindText, text: v}, nil
	}
	if token == json.Delim('[') {
		return readJSONList(d, path, depth, problems)
	}
	return readJSONObject(d, path, depth, problems)
}

func readJSONList(d *json.Decoder, path string, depth int, problems *Problems) (*node, error) {
	n := &node{kind: kindList}
	for d.More() {
		v, err := readJSON(d, element(path, len(n.list)), depth+1, problems)
		if err != nil {
			return nil, err
		}
		n.list = append(n.list, v)
	}
	_, err := d.Token()
	return n, err
}

func readJSONObject(d *json.Decoder, path string, depth int, problems *Problems) (*node, error) {
	n := &node{kind: kindObject}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string) // the decoder lets nothing else be a key
		v, err := readJSON(d, join(path, key), depth+1, problems)
		if err != nil {
			return nil, err
		}
		if seen[key] {
			problems.add(join(path, key), "stands twice")
			continue
		}
		seen[key] = true
		n.members = append(n.members, member{key: key, value: v})
	}
	_, err := d.Token()
	return n, err
}

func join(path, key string) string {
	key = shorten(key)
	if path == "" {
		return key
	}
	return path + "." + key
}

func element(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
