package config

import (
	"fmt"
	"strings"
)

// A Problem is one thing that is wrong with a document. Messages say what is
// expected; they never hold a secret.
type Problem struct {
	Path    string `json:"path,omitempty"` // "imap.port", "folders[1]"; empty: the document as a whole
	Message string `json:"message"`
	File    string `json:"file,omitempty"` // where the document was read from, when that is known
	Line    int    `json:"line,omitempty"` // of the key in the file; 0: not known
}

// String returns the problem as "file:line: path: message", as far as known.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.File != "" && p.Line > 0:
		fmt.Fprintf(&b, "%s:%d: ", p.File, p.Line)
	case p.File != "":
		b.WriteString(p.File + ": ")
	case p.Line > 0:
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Message)
	return b.String()
}

// Problems is everything that is wrong. As an error, its text has a problem
// per line.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].String()
	}
	return strings.Join(lines, "\n")
}

// Err returns the problems as an error, nil when there are none.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

func (p *Problems) add(path, format string, args ...any) {
	*p = append(*p, Problem{Path: path, Message: fmt.Sprintf(format, args...)})
}

func (p Problems) has(path string) bool {
	for i := range p {
		if p[i].Path == path {
			return true
		}
	}
	return false
}

// Covers reports whether there is a problem with the path or with what it is part of.
func (p Problems) Covers(path string) bool {
	for i := range path {
		if (path[i] == '.' || path[i] == '[') && p.has(path[:i]) {
			return true
		}
	}
	return p.has(path)
}

// Without returns the problems that are not yet covered by other: a value of the
// wrong type is not also reported as missing.
func (p Problems) Without(other Problems) Problems {
	var rest Problems
	for _, q := range p {
		if !other.Covers(q.Path) {
			rest = append(rest, q)
		}
	}
	return rest
}
