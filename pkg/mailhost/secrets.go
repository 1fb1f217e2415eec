package mailhost

import (
	"encoding/base64"
	"regexp"
	"strings"
)

// Secrets are what no text of a server may show: there are servers that repeat
// the command that they refuse. The zero value hides nothing.
type Secrets struct{ pattern *regexp.Regexp }

// HideSecrets returns the secrets of a sign-in, in every form in which it crosses
// the connection.
func HideSecrets(username, password string) Secrets {
	if password == "" {
		return Secrets{}
	}
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(password)
	forms := []string{
		base64.StdEncoding.EncodeToString([]byte("\x00" + username + "\x00" + password)),
		base64.StdEncoding.EncodeToString([]byte(password)),
		quoted,
		password,
	}
	for i, form := range forms {
		forms[i] = regexp.QuoteMeta(form)
	}
	return Secrets{regexp.MustCompile("(?i)" + strings.Join(forms, "|"))}
}

// Redact returns the text without the secrets.
func (s Secrets) Redact(text string) string {
	if s.pattern == nil {
		return text
	}
	return s.pattern.ReplaceAllString(text, "…")
}
