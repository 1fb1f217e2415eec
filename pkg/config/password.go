package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/secret"
)

const (
	maxPassword = 8192 // octets; access tokens are longer than passwords
	maxVariable = 255
	maxPath     = 4096
)

// A PasswordRef says where a password is: in an environment variable, in a
// file, or here. Exactly one of the three is set.
type PasswordRef struct {
	Env   string
	File  string
	Plain secret.String
}

// Resolve returns the password. The caller says how variables (os.LookupEnv)
// and files (os.ReadFile) are read: a service that takes documents from others
// must not read its own for them. A line end at the end of a file is dropped.
func (r PasswordRef) Resolve(env func(string) (string, bool), file func(string) ([]byte, error)) (secret.String, error) {
	switch {
	case r.Env != "":
		text, ok := env(r.Env)
		if !ok || text == "" {
			return secret.String{}, fmt.Errorf("the environment variable %s is not set", r.Env)
		}
		return secret.NewString(text), nil
	case r.File != "":
		raw, err := file(r.File)
		if err != nil {
			return secret.String{}, fmt.Errorf("reading the password's file: %w", err)
		}
		text := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
		if text == "" {
			return secret.String{}, fmt.Errorf("the file %s is empty", r.File)
		}
		return secret.NewString(text), nil
	}
	return r.Plain, nil
}

// CheckPassword says what is wrong with a password, without quoting it.
func CheckPassword(s secret.String) error {
	text := s.Reveal()
	switch {
	case text == "":
		return errors.New("is empty")
	case text == secret.Placeholder:
		return errors.New("is the placeholder of a hidden password; give the password itself, or leave the key out to keep it")
	case len(text) > maxPassword:
		return fmt.Errorf("has %d bytes; at most %d are allowed", len(text), maxPassword)
	case !utf8.ValidString(text):
		return errors.New("is not UTF-8")
	case strings.ContainsFunc(text, isControl):
		return errors.New("holds a control character or a line end")
	case strings.ContainsRune(text, utf8.RuneError):
		return errors.New("holds a character that could not be read (U+FFFD)")
	}
	return nil
}

// TakePassword removes the write-only key "password" from a mailbox in JSON and
// returns it, nil if it is not there. An empty text counts as not there: an
// edit that leaves the password empty keeps it.
func TakePassword(raw []byte) (rest []byte, password *PasswordRef, problems Problems) {
	root, problems := parseJSON(raw)
	if root == nil {
		return raw, nil, problems
	}
	password, more := takePassword(root)
	var b bytes.Buffer
	root.json(&b)
	return b.Bytes(), password, append(problems, more...)
}

func takePassword(root *node) (*PasswordRef, Problems) {
	var problems Problems
	n := root.take("password")
	if n == nil || n.kind == kindText && n.text == "" {
		return nil, nil
	}
	switch {
	case n.kind == kindText:
		r := &PasswordRef{Plain: secret.NewString(n.text)}
		if err := CheckPassword(r.Plain); err != nil {
			problems.add("password", "%v", err)
		}
		return r, problems
	case n.kind == kindObject && len(n.members) == 1 && n.members[0].value.kind == kindText && n.members[0].value.text != "":
		switch m := n.members[0]; m.key {
		case "env":
			problems.text("password.env", m.value.text, maxVariable, true)
			return &PasswordRef{Env: m.value.text}, problems
		case "file":
			problems.text("password.file", m.value.text, maxPath, true)
			return &PasswordRef{File: m.value.text}, problems
		}
	case n.kind != kindObject:
		n.is(kindText, "password", &problems)
		return nil, problems
	}
	problems.add("password", "must be text, {env: NAME} or {file: PATH}")
	return nil, problems
}
