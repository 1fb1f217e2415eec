package config

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxNodes bounds what aliases can make of a document ("billion laughs").
const maxNodes = 200_000

// parseYAML reads every document of a stream. What comes after a syntax error
// is not read.
func parseYAML(r io.Reader) ([]*node, Problems) {
	var roots []*node
	var problems Problems
	d := yaml.NewDecoder(r)
	budget := maxNodes
	for {
		var doc yaml.Node
		err := d.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return roots, problems
		}
		if err != nil {
			return roots, append(problems, yamlProblem(err))
		}
		if len(doc.Content) != 1 || doc.Content[0].Tag == "!!null" {
			continue // nothing between two separators
		}
		y := yamlReader{budget: budget}
		root := y.read(doc.Content[0], "", 0)
		budget = y.budget
		problems = append(problems, y.problems...)
		if root.kind != kindObject {
			problems = append(problems, Problem{Line: root.line, Message: "is not a document: it must be an object with kind, id and the fields"})
			continue
		}
		roots = append(roots, root)
	}
}

// yamlProblem turns the parser's error into one with a line. It quotes unknown
// anchors, which a password that begins with * may be taken for.
func yamlProblem(err error) Problem {
	message := strings.TrimPrefix(err.Error(), "yaml: ")
	p := Problem{}
	if m := regexp.MustCompile(`^line (\d+): `).FindStringSubmatch(message); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		message = strings.TrimPrefix(message, m[0])
	}
	if strings.Contains(message, "anchor") {
		message = "an alias without its anchor; put text that begins with * in quotes"
	}
	p.Message = "is not YAML: " + cut(message, 200)
	return p
}

type yamlReader struct {
	budget   int
	problems Problems
}

func (y *yamlReader) add(line int, path, message string) {
	y.problems = append(y.problems, Problem{Path: path, Line: line, Message: message})
}

func (y *yamlReader) read(in *yaml.Node, path string, depth int) *node {
	n := &node{kind: kindNull, line: in.Line}
	y.budget--
	if depth > maxDepth || y.budget < 0 {
		if y.budget >= -1 {
			y.add(in.Line, path, "nests too deeply, or repeats itself too often")
		}
		y.budget = min(y.budget, -1) // once is enough
		return n
	}
	switch in.Kind {
	case yaml.AliasNode:
		n = y.read(in.Alias, path, depth+1)
		n.line = in.Line
	case yaml.SequenceNode:
		n.kind = kindList
		for i, e := range in.Content {
			n.list = append(n.list, y.read(e, element(path, i), depth+1))
		}
	case yaml.MappingNode:
		n.kind = kindObject
		seen := map[string]bool{}
		for i := 0; i+1 < len(in.Content); i += 2 {
			key := in.Content[i]
			if key.Kind != yaml.ScalarNode {
				y.add(key.Line, path, "has a key that is not text")
				continue
			}
			value := y.read(in.Content[i+1], join(path, key.Value), depth+1)
			if seen[key.Value] {
				y.add(key.Line, join(path, key.Value), "stands twice")
				continue
			}
			seen[key.Value] = true
			n.members = append(n.members, member{key.Value, key.Line, value})
		}
	case yaml.ScalarNode:
		y.scalar(in, n, path)
	}
	return n
}

func (y *yamlReader) scalar(in *yaml.Node, n *node, path string) {
	switch tag := in.ShortTag(); tag {
	case "!!null":
	case "!!str", "!!timestamp": // import_since: 2026-01-31
		n.kind, n.text = kindText, in.Value
	case "!!bool":
		var b bool
		if in.Decode(&b) == nil {
			n.kind, n.text = kindBool, strconv.FormatBool(b)
			return
		}
		n.kind, n.text = kindText, in.Value
	case "!!int", "!!float":
		n.kind, n.text = kindNumber, yamlNumber(in)
		if n.text == "" {
			n.kind, n.text = kindNull, ""
			y.add(in.Line, path, "is not a number that can be used here")
		}
	default:
		y.add(in.Line, path, "has a YAML tag; put text that begins with ! in quotes")
	}
}

// yamlNumber returns the number as JSON writes it: YAML also has 0x10, 0o7,
// 6_000_000 and .inf. It returns "" for what JSON has no number for.
func yamlNumber(in *yaml.Node) string {
	if json.Valid([]byte(in.Value)) {
		return in.Value
	}
	var i int64
	if in.Decode(&i) == nil {
		return strconv.FormatInt(i, 10)
	}
	var f float64
	if in.Decode(&f) != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return ""
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}
