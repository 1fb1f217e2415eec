package demo

import (
	_ "embed" // the documents
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
)

//go:embed documents.yaml
var documents string

// User is who the demo mail server knows, and Password how when nothing else is
// said. Everybody may know it: the server holds nothing but samples and listens
// on loopback.
const (
	User     = "info@demo.example"
	Password = "demo"
)

// Documents returns the demo's configuration, for a demo mail server at an address.
func Documents(host string, port int) ([]config.Document, error) {
	text := strings.NewReplacer("HOST", host, "PORT", strconv.Itoa(port)).Replace(documents)
	docs, err := config.ParseDocuments(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	env := func(string) (string, bool) { return Password, true }
	if err := config.ResolvePasswords(docs, env, nil); err != nil {
		return nil, err
	}
	return docs, nil
}
