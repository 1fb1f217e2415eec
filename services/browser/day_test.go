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

// A day is what an administrator does with an installation. Each step goes on
// where the one before stopped, in the window of the landlord.
type day struct {
	*window
	i *installation
}

func TestAdministratorsDay(t *testing.T) {
	d := &day{i: up(t)}
	d.window = open(t, d.i.base)
	for _, step := range []struct {
		name string
		run  func(*day)
	}{
		{"first sign-in", (*day).firstSignIn},
		{"tenant without a key", (*day).makeTenant},
		{"key", (*day).generateKey},
		{"folders", (*day).makeFolders},
		{"mailbox with a wrong port", (*day).tryWrongPort},
		{"mended port", (*day).mendPort},
		{"dry run and enable", (*day).dryRun},
		{"mail flows", (*day).mailFlows},
		{"ledger", (*day).ledger},
		{"other pages", (*day).explain},
		{"edit in two windows", (*day).editTwice},
		{"unsaved changes", (*day).guard},
		{"wrong password", (*day).wrongPassword},
		{"read only", (*day).reader},
		{"another tenant", (*day).rival},
		{"keys alone", (*day).keyboard},
		{"bulk disable", (*day).bulkDisable},
		{"delete", (*day).deleteMailbox},
		{"audit", (*day).audit},
		{"sign-out", (*day).signOut},
	} {
		ended := false
		t.Run(step.name, func(t *testing.T) {
			d.in(t)
			d.i.in(t)
			step.run(d)
			ended = true
		})
		if !ended {
			t.FailNow() // the steps after it need what it makes
		}
	}
}

func (d *day) firstSignIn() {
	d.signUp(d.i)
	d.sees("Demo mailbox") // of the demo tenant, the only one
	d.accessible()
	if _, text := d.status("GET", d.i.setup); text == "" { // the link is used up; what stands behind # no server sees
		d.t.Error("the path of a used link answers with nothing")
	}
}
