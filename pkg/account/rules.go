package account

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// Lengths in characters.
const (
	maxName        = 254 // an email address (RFC 5321, section 4.5.3.1.3)
	maxDisplayName = 200
	minPassword    = 12
	maxPassword    = 200
	minDifferent   = 5
)

// unknown stands in the audit for a name that is no account's: what was typed
// there may be a password.
const unknown = "unknown"

// reserved are actors of the audit that are no accounts, and where requests come
// from: nobody is to be taken for them.
var reserved = []string{unknown, "anonymous", "cli", "console", "demo", "events", "host", "operator", "restore", "retention", "setup", "system"}

// externalPrefix begins the names of people of the identity provider whose own
// name cannot be used.
const externalPrefix = "external-"

// checkNewName returns what is wrong with a name for a new account.
func checkNewName(name string) (message string, ok bool) {
	if strings.HasPrefix(control.UsernameKey(name), externalPrefix) {
		return "begins with external-, which is for the identity provider's people; choose another one", false
	}
	return checkName(name)
}

// checkName returns what is wrong with a name. What it lets pass is short and can
// be stored and shown anywhere.
func checkName(name string) (message string, ok bool) {
	const rule = "letters, digits and . _ - @ + ' only, beginning with a letter or a digit"
	first, _ := utf8.DecodeRuneInString(name)
	switch {
	case name == "":
		return "is required", false
	case !utf8.ValidString(name):
		return "is not UTF-8", false
	case utf8.RuneCountInString(name) > maxName:
		return fmt.Sprintf("has %d characters; at most %d are allowed", utf8.RuneCountInString(name), maxName), false
	case !unicode.IsLetter(first) && !unicode.IsDigit(first), strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r) && !strings.ContainsRune("._-@+'", r)
	}):
		return rule, false
	case norm.NFKC.String(name) != name, strings.ContainsFunc(name, func(r rune) bool { return unicode.Is(unicode.Variation_Selector, r) || r == '\u034f' }):
		return "holds characters that look like others; type it in plain letters", false
	case slices.Contains(reserved, control.UsernameKey(name)):
		return "is reserved; choose another one", false
	}
	return "", true
}

func checkDisplayName(name string) (message string, ok bool) {
	switch {
	case !utf8.ValidString(name):
		return "is not UTF-8", false
	case strings.ContainsFunc(name, func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
	}):
		return "holds a control character", false
	case utf8.RuneCountInString(name) > maxDisplayName:
		return fmt.Sprintf("has %d characters; at most %d are allowed", utf8.RuneCountInString(name), maxDisplayName), false
	case strings.TrimSpace(name) != name:
		return "begins or ends with a space", false
	}
	return "", true
}

// checkPassword returns what is wrong with a password that somebody chose.
func checkPassword(path, name string, password secret.String) config.Problems {
	text := normal(password)
	n := utf8.RuneCountInString(text)
	different := map[rune]bool{}
	for _, r := range text {
		different[r] = true
	}
	message := ""
	switch {
	case !utf8.ValidString(text):
		message = "is not UTF-8"
	case n < minPassword:
		message = fmt.Sprintf("is too short; at least %d characters are needed", minPassword)
	case n > maxPassword:
		message = fmt.Sprintf("is too long; at most %d characters are allowed", maxPassword)
	case strings.ContainsFunc(text, unicode.IsControl):
		message = "holds a control character"
	case len(different) < minDifferent:
		message = fmt.Sprintf("is too simple; at least %d different characters are needed", minDifferent)
	case isNameAgain(name, text):
		message = "is the account's name; choose another one"
	default:
		return nil
	}
	return config.Problems{{Path: path, Message: message}}
}

// isNameAgain reports whether a password is little else than the name, or than
// what stands before its @.
func isNameAgain(name, password string) bool {
	key, rest := control.UsernameKey(name), control.UsernameKey(password)
	local, _, _ := strings.Cut(key, "@")
	for _, part := range []string{key, local} {
		if part == "" || !strings.Contains(rest, part) {
			continue
		}
		if !strings.ContainsFunc(strings.ReplaceAll(rest, part, ""), unicode.IsLetter) {
			return true
		}
	}
	return false
}
