package console

import (
	"github.com/mailyard/mailyard/services/admin/operation"
)

// deletionEffect says what becomes of mail that is on its way.
func deletionEffect(waiting, inFlight, parked int) []string {
	list := []string{"Nothing of their mail is in flight."}
	if inFlight > 0 {
		list[0] = plural(inFlight, "mail is", "mails are") + " in flight. Each is still stored, and then moved or deleted on the mail server as it is set now."
	}
	if waiting > 0 {
		list = append(list, plural(waiting, "mail waits", "mails wait")+" in the inbox and stay there.")
	}
	if parked > 0 {
		list = append(list, plural(parked, "dead letter is", "dead letters are")+" left. Their mail stays in the inbox.")
	}
	return list
}

// confirmDelete says what the deletion of a mailbox means.
func (c *console) confirmDelete(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	plan, err := r.desk.Deletion(r.Context(), r.actor, &operation.Deletion{InMailbox: r.inMailbox(m.Document.ID)})
	if err != nil {
		return err
	}
	effect := deletionEffect(plan.Waiting, plan.InFlight, plan.Parked)
	if plan.InFlight == 0 {
		effect[0] = "Nothing of its mail is in flight."
	}
	stored := "Nothing of its mail is stored."
	if plan.Stored > 0 {
		stored = plural(plan.Stored, "mail that is stored stays", "mails that are stored stay") + " in the messaging database."
	}
	name := m.Document.Name
	return r.part("confirm", confirm{
		Open: true, Title: "Delete mailbox " + name + "?", Danger: true, Submit: "Delete mailbox",
		Effect: append(effect, stored, "Its settings and password are deleted. Until its mail in flight has ended, only that can still use them."),
		Post:   r.path("mailboxes", m.Document.ID, "delete"), Hidden: revisionOf(m.Revision), Typed: name, What: "the name of the mailbox",
	})
}

// deleteMailbox deletes a mailbox once its name was typed.
func (c *console) deleteMailbox(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	if err := r.typed(m.Document.Name); err != nil {
		return err
	}
	if _, err := r.desk.DeleteMailbox(r.Context(), r.actor, &operation.DeleteMailbox{InMailbox: r.inMailbox(m.Document.ID), Condition: r.based()}); err != nil {
		return err
	}
	r.tell(toneOK, "Mailbox %s is deleted. Mail in flight ends well; what is stored stays in the messaging database.", m.Document.Name)
	return r.redirect(r.path("mailboxes"))
}
