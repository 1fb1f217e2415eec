package secret

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// Placeholder is what a String prints and marshals as.
const Placeholder = "[redacted]"

// A String is text that must not be seen: fmt with any verb, JSON, YAML, text,
// gob, zap and slog show the placeholder. Only Reveal gives the text. The zero
// value is the empty secret.
type String struct {
	// A pointer, so that printing a struct that holds a String in an unexported
	// field, where fmt cannot call methods, shows an address and not the text.
	text *string
}

// NewString returns s as a secret.
func NewString(s string) String {
	if s == "" {
		return String{}
	}
	return String{&s}
}

// Reveal returns the text.
func (s String) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero reports whether the secret is empty.
func (s String) IsZero() bool { return s.text == nil }

// Equal reports whether both hold the same text, in constant time.
func (s String) Equal(other String) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

// String returns the placeholder.
func (s String) String() string { return Placeholder }

// GoString returns the placeholder.
func (s String) GoString() string { return Placeholder }

// Format writes the placeholder, whatever the verb.
func (s String) Format(w fmt.State, _ rune) { io.WriteString(w, Placeholder) }

// LogValue returns the placeholder.
func (s String) LogValue() slog.Value { return slog.StringValue(Placeholder) }

// MarshalJSON returns the placeholder.
func (s String) MarshalJSON() ([]byte, error) { return []byte(`"` + Placeholder + `"`), nil }

// MarshalText returns the placeholder.
func (s String) MarshalText() ([]byte, error) { return []byte(Placeholder), nil }

// MarshalBinary returns the placeholder.
func (s String) MarshalBinary() ([]byte, error) { return []byte(Placeholder), nil }

// MarshalYAML returns the placeholder.
func (s String) MarshalYAML() (any, error) { return Placeholder, nil }

// UnmarshalText takes the text, except the placeholder: somebody is about to
// store what was printed instead of the secret.
func (s *String) UnmarshalText(text []byte) error {
	if string(text) == Placeholder {
		return errors.New(Placeholder + " stands for a secret that was hidden; give the secret itself, or leave the key out")
	}
	*s = NewString(string(text))
	return nil
}
