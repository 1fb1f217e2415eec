package imapconn

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

var errNoMechanism = errors.New("server offers no sign-in with a password")

// login signs in, with SASL PLAIN where offered: it takes every character.
func (d *dialogue) login(username, password string) (answer, error) {
	if strings.ContainsRune(username+password, 0) {
		return answer{}, errors.New("username or password contains a NUL character")
	}
	plain, login := d.has("AUTH=PLAIN"), !d.has("LOGINDISABLED")
	if !plain && !login {
		return answer{}, errNoMechanism
	}
	sasl := d.has("SASL-IR") || d.has("IMAP4REV2")
	d.caps = nil // they change with the sign-in
	// From here on no text of the server may show the password.
	d.secrets = mailhost.HideSecrets(username, password)
	if plain {
		response := base64.StdEncoding.EncodeToString([]byte("\x00" + username + "\x00" + password))
		var a answer
		var err error
		if sasl {
			a, err = d.command("AUTHENTICATE PLAIN " + response)
		} else {
			a, err = d.command("AUTHENTICATE PLAIN", response)
		}
		// BAD: offered and not understood. A NO is not asked twice: accounts get locked.
		if err != nil || a.status != "BAD" || !login {
			return a, err
		}
	}
	if quotable(username) && quotable(password) {
		return d.command("LOGIN " + quote(username) + " " + quote(password))
	}
	return d.command("LOGIN {"+strconv.Itoa(len(username))+"}",
		username+" {"+strconv.Itoa(len(password))+"}", password)
}

// quotable reports whether a quoted string can hold s; what it cannot goes as a literal.
func quotable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// introduce tells who we are (RFC 2971), which some providers demand before they
// open a mailbox. What the server answers does not matter.
func (d *dialogue) introduce() error {
	if !d.has("ID") {
		return nil
	}
	_, err := d.command(`ID ("name" "mailyard")`)
	return err
}
