package busserver

import (
	"crypto/subtle"

	"github.com/nats-io/nats-server/v2/server"
)

// An account is the one user of the server. The server's own check would warn
// of a password that is not hashed; this one lives as long as the process.
type account struct{ user, password string }

// Check implements server.Authentication.
func (a account) Check(c server.ClientAuthentication) bool {
	given := c.GetOpts()
	user := subtle.ConstantTimeCompare([]byte(given.Username), []byte(a.user))
	password := subtle.ConstantTimeCompare([]byte(given.Password), []byte(a.password))
	return user&password == 1
}
