package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// A FieldChange is a field with its values, as JSON, before and after. Of a
// secret it says only what happened to it.
type FieldChange struct {
	Path   string          `json:"path"`
	Before json.RawMessage `json:"before,omitempty"` // empty: it was not there
	After  json.RawMessage `json:"after,omitempty"`  // empty: it is not there any more
}

// happened is the entry of a field whose values are not shown.
func happened(path, what string) FieldChange {
	return FieldChange{Path: path, After: json.RawMessage(`"` + what + `"`)}
}

// Diff compares two documents of the same kind, field by field; before is nil
// for a new one. Lists are one field.
func Diff(before, after any) ([]FieldChange, error) {
	b, a := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if before != nil {
		if err := flatten("", before, b); err != nil {
			return nil, err
		}
	}
	if err := flatten("", after, a); err != nil {
		return nil, err
	}
	paths := maps.Clone(a)
	maps.Copy(paths, b)
	var changes []FieldChange
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		if !bytes.Equal(b[path], a[path]) {
			changes = append(changes, FieldChange{path, b[path], a[path]})
		}
	}
	return changes, nil
}

// flatten fills leaves with the document's values by path. Lists are values.
func flatten(path string, document any, leaves map[string]json.RawMessage) error {
	raw, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encoding document: %w", err)
	}
	if raw[0] != '{' {
		leaves[path] = raw
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return fmt.Errorf("encoding document: %w", err)
	}
	for key, value := range members {
		if path != "" {
			key = path + "." + key
		}
		if err := flatten(key, value, leaves); err != nil {
			return err
		}
	}
	return nil
}

func paths(changes []FieldChange) []string {
	var p []string
	for _, c := range changes {
		p = append(p, c.Path)
	}
	return p
}
