package console

import (
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A setupStep is what a tenant needs before its first mail can come.
type setupStep struct {
	Done   bool
	Next   bool // the first one that is not done
	Title  string
	Text   string
	Action *action
}

// setupSteps tell what to do next in a tenant that has no mailbox yet.
func (r *request) setupSteps() ([]setupStep, error) {
	folders, err := r.desk.ListFolders(r.Context(), r.actor, &operation.ListFolders{InTenant: r.inTenant()})
	if err != nil {
		return nil, err
	}
	n := len(folders.Folders)
	steps := []setupStep{
		{Title: "Tenant Encryption Key", Done: r.tenant.Key != nil, Text: "Without it no mailbox password can be kept."},
		{Title: "Folders", Done: n > 0, Text: "Where mail goes to. Each has the addresses of its mail."},
		{Title: "Mailboxes", Text: "Where mail comes from. Each names the folders that its mail can belong to."},
	}
	if steps[0].Done {
		steps[0].Text = "It is set: mailbox passwords can be kept."
	} else if r.landlord() {
		steps[0].Action = &action{Label: "Set it in the Tenant Parameters", Icon: "key", Path: r.path("parameters")}
	} else {
		steps[0].Text += " The landlord sets it in the Tenant Parameters; ask for it. The rest can be done meanwhile."
	}
	if n > 0 {
		steps[1].Text = "There " + map[bool]string{true: "is ", false: "are "}[n == 1] + plural(n, "folder", "folders") + "."
	}
	if r.mayWrite() {
		if n == 0 {
			steps[1].Action = &action{Label: "New folder", Icon: "plus", Path: r.path("folders", "new")}
		}
		steps[2].Action = &action{Label: "New mailbox", Icon: "plus", Path: r.path("new-mailbox")}
	} else {
		steps[2].Text += " An administrator of the tenant adds them."
	}
	for i := range steps {
		if !steps[i].Done {
			steps[i].Next = true
			break
		}
	}
	for i := range steps {
		if a := steps[i].Action; a != nil {
			a.Primary = steps[i].Next
		}
	}
	return steps, nil
}
