//go:build full

package browser_test

import "testing"

const password = "a long enough password"

// signUp follows the one-time link and makes the landlord's account.
func (w *window) signUp(i *installation) {
	w.t.Helper()
	w.visit(i.setup)
	w.fill("Name", "lena")
	w.fill("Password", password)
	w.accessible()
	w.press("Create account")
	w.sees("signed in as lena")
}

func TestFirstSignIn(t *testing.T) {
	i := up(t)
	w := open(t, i.base)
	w.signUp(i)
	w.accessible()
}
