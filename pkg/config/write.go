package config

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/schemas"
)

// WriteDocuments writes documents as a YAML stream that ParseDocuments reads.
// Passwords are never written.
func WriteDocuments(w io.Writer, docs []Document) (err error) {
	if len(docs) == 0 {
		return nil // the encoder cannot end a stream that it did not begin
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	defer func() { err = errors.Join(err, e.Close()) }()
	for _, d := range docs {
		root, problems := parseJSON(d.JSON)
		if err := problems.Err(); err != nil {
			return fmt.Errorf("writing %s %s/%s: %w", d.Kind, d.Tenant, d.ID, err)
		}
		out := root.yaml()
		out.Content = append([]*yaml.Node{yamlText("kind"), yamlText(string(d.Kind))}, out.Content...)
		if d.Kind == schemas.KindTenant && d.GenerateKey {
			out.Content = append(out.Content, yamlText("encryption_key"), yamlText("generate"))
		}
		if d.HasPassword {
			out.FootComment = "The stored password is kept. To set another one:\npassword: {env: " + PasswordVariable(d.ID) + "}"
		}
		if err := e.Encode(out); err != nil {
			return fmt.Errorf("writing %s %s/%s: %w", d.Kind, d.Tenant, d.ID, err)
		}
	}
	return nil
}

// PasswordVariable returns the name of the environment variable that exported
// documents suggest for a mailbox's password.
func PasswordVariable(mailbox string) string {
	return "MAILYARD_PASSWORD_" + strings.ToUpper(strings.ReplaceAll(mailbox, "-", "_"))
}

func (n *node) yaml() *yaml.Node {
	switch n.kind {
	case kindObject:
		out := &yaml.Node{Kind: yaml.MappingNode}
		for _, m := range n.members {
			out.Content = append(out.Content, yamlText(m.key), m.value.yaml())
		}
		return out
	case kindList:
		out := &yaml.Node{Kind: yaml.SequenceNode}
		for _, v := range n.list {
			out.Content = append(out.Content, v.yaml())
		}
		return out
	case kindText:
		return yamlText(n.text)
	case kindNull:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: n.text}
}

func yamlText(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if strings.Contains(s, "\n") {
		n.Style = yaml.LiteralStyle
	}
	return n
}
