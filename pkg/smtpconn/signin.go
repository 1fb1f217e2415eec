package smtpconn

import (
	"errors"
	"slices"
	"strings"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// signIn authenticates, with PLAIN where offered (RFC 4954).
func (c *Conn) signIn() error {
	t := c.target
	op := "signing in to " + t.Host + " for " + t.Name()
	c.opts.Observe.Begin(mailhost.StageSignIn)
	trouble := func(what, hint string) error {
		return &Error{Op: op, Kind: mailhost.KindCredentials, Err: errors.New(what), Hint: hint}
	}
	switch {
	case t.Username == "":
		return trouble("no username is set", "set username")
	case t.Password.IsZero():
		return trouble("no password is set", "set password")
	case strings.ContainsRune(t.Username+t.Password.Reveal(), 0):
		return trouble("username or password contains a NUL character", "set another password")
	}
	offered := c.mechanisms()
	plain, login := slices.Contains(offered, sasl.Plain), slices.Contains(offered, sasl.Login)
	if !plain && !login {
		return trouble("server offers no sign-in with a password", mailhost.LoginHint(t.Host, strings.Join(offered, " ")))
	}
	// From here on no text of the server may show the password.
	c.secrets = mailhost.HideSecrets(t.Username, t.Password.Reveal())
	c.guard.secrets = c.secrets
	c.guard.hide("sign-in")
	err := c.authenticate(plain, login)
	c.guard.hide("")
	if err != nil {
		return c.explainSignIn(op, err)
	}
	c.opts.Observe.End(mailhost.Progress{Stage: mailhost.StageSignIn, Answer: c.Answer()})
	return nil
}

func (c *Conn) authenticate(plain, login bool) error {
	username, password := c.target.Username, c.target.Password.Reveal()
	if plain {
		err := c.client.Auth(sasl.NewPlainClient("", username, password))
		// Offered and not known. A refusal is not asked twice: accounts get locked.
		var refused *smtp.SMTPError
		if !login || !errors.As(err, &refused) || refused.Code != 504 {
			return err
		}
	}
	return c.client.Auth(&loginClient{username, password, 0})
}

// mechanisms returns how the server lets people sign in. Old servers have an
// extension for each, named AUTH=PLAIN.
func (c *Conn) mechanisms() []string {
	_, list := c.client.Extension("AUTH")
	names := strings.Fields(strings.ToUpper(list))
	for _, name := range []string{sasl.Plain, sasl.Login} {
		if ok, _ := c.client.Extension("AUTH=" + name); ok {
			names = append(names, name)
		}
	}
	return names
}

// extensions returns those of the server's that matter to somebody.
func (c *Conn) extensions() []string {
	var names []string
	for _, name := range []string{"AUTH", "SIZE", "8BITMIME", "SMTPUTF8", "PIPELINING", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES"} {
		if ok, args := c.client.Extension(name); ok {
			names = append(names, strings.TrimSpace(name+" "+strings.ToUpper(mailhost.CleanText(args))))
		}
	}
	return names
}

// A loginClient speaks LOGIN. go-sasl's takes only servers that ask in the very
// words of the draft.
type loginClient struct {
	username, password string
	asked              int
}

func (c *loginClient) Start() (mech string, first []byte, err error) { return sasl.Login, nil, nil }

func (c *loginClient) Next([]byte) ([]byte, error) {
	c.asked++
	switch c.asked {
	case 1:
		return []byte(c.username), nil
	case 2:
		return []byte(c.password), nil
	}
	return nil, sasl.ErrUnexpectedServerChallenge
}
