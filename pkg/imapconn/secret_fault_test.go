package imapconn_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/secret"
)

// Servers that repeat the command that they refuse do not put the password into
// errors, logs and states.
func TestPasswordThatTheServerRepeatsIsNotShown(t *testing.T) {
	const password = `hunter2"\secret`
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	refuse := func(answer string) func(*conn, string, string) {
		return func(c *conn, tag, args string) {
			c.Send("%s", strings.NewReplacer("TAG", tag, "ARGS", args).Replace(answer))
			c.Close()
		}
	}
	for name, test := range map[string]struct {
		caps  string
		rules imaptest.Rules
	}{
		"LOGIN":             {rules: imaptest.Rules{"LOGIN": refuse("TAG BAD invalid arguments: LOGIN ARGS")}},
		"upper case":        {rules: imaptest.Rules{"LOGIN": refuse("TAG NO " + strings.ToUpper(password))}},
		"password as it is": {rules: imaptest.Rules{"LOGIN": refuse("TAG NO wrong password " + password)}},
		"in the code":       {rules: imaptest.Rules{"LOGIN": refuse("TAG NO [X-" + password + "] no")}},
		"in a literal":      {rules: imaptest.Rules{"LOGIN": refuse(fmt.Sprintf("* X {%d}\r\n%s\r\nTAG WHAT ARGS", len(password), password))}},
		"BYE":               {rules: imaptest.Rules{"LOGIN": refuse("* BYE LOGIN ARGS")}},
		"odd status":        {rules: imaptest.Rules{"LOGIN": refuse("TAG WHAT LOGIN ARGS")}},
		"PLAIN":             {caps: "AUTH=PLAIN SASL-IR", rules: imaptest.Rules{"AUTHENTICATE": refuse("TAG NO AUTHENTICATE ARGS")}},
		"base64 alone":      {caps: "AUTH=PLAIN SASL-IR", rules: imaptest.Rules{"AUTHENTICATE": refuse("TAG NO got " + b64(password))}},
		"after the sign-in": {caps: "NAMESPACE", rules: imaptest.Rules{"NAMESPACE": refuse("* BYE after " + password)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := imaptest.NewScript(t, test.caps, nil, test.rules)
			target := s.Target()
			target.Username, target.Password = "u1", secret.NewString(password)
			core, logs := observer.New(zap.DebugLevel)
			c, err := imapconn.Dial(t.Context(), target, imapconn.Options{Logger: zap.New(core)})
			if err == nil {
				c.Close()
				t.Fatal("connected")
			}
			said := strings.ToLower(err.Error() + fmt.Sprintf("%#v", logs.All()))
			for _, form := range []string{password, `hunter2\"\\secret`, b64(password), b64("\x00u1\x00" + password)} {
				if strings.Contains(said, strings.ToLower(form)) {
					t.Errorf("%q is shown: %s", form, err)
				}
			}
			if !strings.Contains(err.Error(), "…") {
				t.Errorf("nothing is left out of %s", err)
			}
		})
	}
}
