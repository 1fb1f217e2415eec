package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/mailyard/mailyard/pkg/secret"
)

// errNoTenant says that there is nothing to work in.
var errNoTenant = errors.New("there is no tenant that you may see; `mailyard tenant add` or `mailyard apply` makes one")

// errUnconfirmed ends a command that was not confirmed.
var errUnconfirmed = &codedError{exitFailed, errors.New("not confirmed; nothing was done")}

// confirm wants a text to be typed before something is lost.
func (c *command) confirm(what, text string) error {
	if err := c.prompt("%s\nType %s to go on: ", what, text); err != nil {
		return err
	}
	typed, err := c.line()
	if err != nil || typed != text {
		return errUnconfirmed
	}
	return nil
}

// prompt asks on standard error: standard output is for what was asked for.
func (c *command) prompt(format string, args ...any) error {
	_, err := fmt.Fprintf(c.streams.Err, format, args...)
	return err
}

// line reads a line of standard input, byte by byte: what follows is for the
// next question, or for the next program of a script.
func (c *command) line() (string, error) {
	var typed []byte
	for one := make([]byte, 1); ; {
		n, err := c.streams.In.Read(one)
		switch {
		case n > 0 && one[0] != '\n':
			typed = append(typed, one[0])
		case n > 0, errors.Is(err, io.EOF) && len(typed) > 0:
			return strings.TrimRight(string(typed), "\r"), nil
		case err != nil:
			return "", fmt.Errorf("reading standard input: %w", err)
		}
	}
}

// A secretSource is where a secret comes from: never the command line, which
// every user of the machine can read.
type secretSource struct {
	file     string
	ask      bool
	variable string // of the environment
	what     string
}

func (s *secretSource) flags(cmd *cobra.Command) {
	name := strings.ToLower(s.what)
	cmd.Flags().StringVar(&s.file, name+"-file", "", "file with the "+name+", - for standard input; or set "+s.variable)
	cmd.Flags().BoolVar(&s.ask, "ask-"+name, false, "ask for the "+name+", without showing it")
}

// given returns the secret; empty if there is none. With must, it is asked for.
func (c *command) given(s secretSource, must bool) (secret.String, error) {
	switch {
	case s.file == "-":
		text, err := c.line()
		return secret.NewString(text), err
	case s.file != "":
		raw, err := os.ReadFile(s.file)
		if err != nil {
			return secret.String{}, fmt.Errorf("reading the %s: %w", strings.ToLower(s.what), err)
		}
		return secret.NewString(strings.TrimRight(string(raw), "\r\n")), nil
	case s.ask:
	default:
		if text := c.variable(s.variable, ""); text != "" {
			return secret.NewString(text), nil
		}
		if !must {
			return secret.String{}, nil
		}
	}
	return c.hidden(s)
}

// hidden asks without echo.
func (c *command) hidden(s secretSource) (secret.String, error) {
	in, ok := c.streams.In.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return secret.String{}, usagef("there is no terminal to ask for the %[1]s: give it with --%[1]s-file FILE (- is standard input) or %[2]s", strings.ToLower(s.what), s.variable)
	}
	if err := c.prompt("%s: ", s.what); err != nil {
		return secret.String{}, err
	}
	typed, err := term.ReadPassword(int(in.Fd()))
	if err != nil {
		return secret.String{}, fmt.Errorf("reading the %s: %w", strings.ToLower(s.what), err)
	}
	if err := c.prompt("\n"); err != nil {
		return secret.String{}, err
	}
	return secret.NewString(string(typed)), nil
}

func passwordSource() secretSource {
	return secretSource{variable: "MAILYARD_PASSWORD", what: "Password"}
}
