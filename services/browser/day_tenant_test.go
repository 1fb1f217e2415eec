//go:build full

package browser_test

// A tenant is made by the landlord; without a key its mailboxes have no passwords.
func (d *day) makeTenant() {
	d.press("Tenants")
	d.sees("Demo Ltd.")
	d.accessible()
	d.press("New tenant")
	d.sees("Tenant Messaging Database")
	d.accessible()
	d.fill("Name", "Acme Bicycles")
	d.until("the id is made of the name", `document.querySelector("#field-id").value === "acme-bicycles"`)
	d.fill("Id", "acme")
	d.press("Create tenant")
	d.sees("Tenant Acme Bicycles is created. Set its Tenant Encryption Key next.")
	d.accessible()
	d.press("Mailboxes")
	d.sees("No mailboxes yet")
	d.accessible()
	d.visit("/t/acme/new-mailbox")
	d.sees("The tenant has no Tenant Encryption Key. Set it in the Tenant Parameters.")
	d.until("the password field is disabled", `document.querySelector("#field-password").disabled`)
	d.accessible()
}

func (d *day) generateKey() {
	d.press("Tenant Parameters")
	d.sees("No key")
	d.press("Generate a key")
	d.sees("Acme Bicycles has a Tenant Encryption Key now")
	d.sees("Key set")
	d.accessible()
}

func (d *day) makeFolders() {
	d.press("Routing")
	d.press("Folders")
	d.press("New folder")
	d.sees("Email address")
	d.accessible()
	d.fill("Name", "Help desk")
	d.fill("Email address", "no address")
	d.press("Create folder")
	d.sees("Nothing was stored yet")
	d.until("the field is marked", `document.querySelector("#field-address").getAttribute("aria-invalid") === "true"`)
	d.accessible()
	d.fill("Email address", "help@acme.example")
	d.press("Create folder")
	d.sees("Folder Help desk is created")
	d.press("New folder")
	d.fill("Name", "Orders")
	d.fill("Email address", "orders@acme.example")
	d.press("Create folder")
	d.sees("Folder Orders is created")
	d.sees("orders@acme.example")
	d.accessible()
}
