package demo

import (
	_ "embed" // the documents
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
)

//go:embed documents.yaml
var documents string

// User and SecondUser are who the demo mail server knows, the second for a
// mailbox that one adds by hand, and Password how when nothing else is said.
// Everybody may know it: the server holds nothing but samples and listens on
// loopback.
const (
	User       = "info@demo.example"
	SecondUser = "desk@demo.example"
	Password   = "demo"
)

// Documents returns the demo's configuration, for a demo mail server that
// serves IMAP and SMTP on two ports of a host; with 0 for SMTP, the mailbox does
// not send.
func Documents(host string, port, smtp int) ([]config.Document, error) {
	documents := documents
	if smtp == 0 {
		documents = strings.Replace(documents, "smtp: {host: HOST, port: SMTPPORT}\n", "", 1)
	}
	text := strings.NewReplacer("HOST", host, "SMTPPORT", strconv.Itoa(smtp), "PORT", strconv.Itoa(port)).Replace(documents)
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
