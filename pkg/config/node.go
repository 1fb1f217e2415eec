package config

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// A node is a value of a document as it was written, in JSON or YAML: object,
// list, text, number, true, false or null.
type node struct {
	kind    nodeKind
	text    string // of text, number ("12", "1.5") and bool
	list    []*node
	members []member
	line    int // 0: not known
}

type member struct {
	key   string
	line  int
	value *node
}

type nodeKind string

// The kinds, as messages call them.
const (
	kindNull   nodeKind = "null"
	kindBool   nodeKind = "true or false"
	kindNumber nodeKind = "a number"
	kindText   nodeKind = "text"
	kindList   nodeKind = "a list"
	kindObject nodeKind = "an object"
)

func (n *node) get(key string) *node {
	for _, m := range n.members {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// take removes the key and returns its value, nil if it is not there.
func (n *node) take(key string) *node {
	for i, m := range n.members {
		if m.key == key {
			n.members = append(n.members[:i:i], n.members[i+1:]...)
			return m.value
		}
	}
	return nil
}

// lineOf returns the line of a path, or of the nearest thing around it.
func (n *node) lineOf(path string) int {
	line := n.line
	for path != "" {
		var step string
		if path[0] == '[' {
			index, rest, _ := strings.Cut(path[1:], "]")
			i, err := strconv.Atoi(index)
			if err != nil || i < 0 || i >= len(n.list) {
				return line
			}
			n, path = n.list[i], strings.TrimPrefix(rest, ".")
			line = n.line
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end < 0 {
			end = len(path)
		}
		step, path = path[:end], strings.TrimPrefix(path[end:], ".")
		found := false
		for _, m := range n.members {
			if m.key == step {
				n, line, found = m.value, m.line, true
				break
			}
		}
		if !found {
			return line
		}
	}
	return line
}

// json writes the node as JSON, keys in the order in which they were written.
func (n *node) json(b *bytes.Buffer) {
	switch n.kind {
	case kindObject:
		b.WriteByte('{')
		for i, m := range n.members {
			if i > 0 {
				b.WriteByte(',')
			}
			quoteJSON(b, m.key)
			b.WriteByte(':')
			m.value.json(b)
		}
		b.WriteByte('}')
	case kindList:
		b.WriteByte('[')
		for i, v := range n.list {
			if i > 0 {
				b.WriteByte(',')
			}
			v.json(b)
		}
		b.WriteByte(']')
	case kindText:
		quoteJSON(b, n.text)
	case kindNull:
		b.WriteString("null")
	default:
		b.WriteString(n.text)
	}
}

func quoteJSON(b *bytes.Buffer, s string) {
	q, _ := json.Marshal(s) // a string always marshals
	b.Write(q)
}
