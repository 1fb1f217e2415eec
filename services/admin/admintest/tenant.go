package admintest

import (
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

// Ids name what a tenant has: one of each.
type Ids struct {
	Tenant, Folder, Mailbox, Mail, Dead string
}

// AttachmentName is the name of the attachment of every mail: it wants to be
// somewhere else, and something else.
const AttachmentName = "../../etc/Rechnung „März\".html"

// Mail is what every tenant has one of.
const Mail = "From: Kim <kim@example.org>\r\nTo: support@%s.example\r\nSubject: Invoice <b>\x1b[31m\r\nMessage-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee below.\r\n--b\r\n" +
	"Content-Type: text/html\r\nContent-Disposition: attachment; filename*=UTF-8''..%%2F..%%2Fetc%%2FRechnung%%20%%E2%%80%%9EM%%C3%%A4rz%%22.html\r\n\r\n<script>alert(1)</script>\r\n--b--\r\n"

// tenant makes a tenant that has one of everything.
func (o *Office) tenant(id string) Ids {
	t := o.t
	t.Helper()
	ctx, lena := t.Context(), o.Lena.Actor
	doc := config.DefaultTenant()
	doc.ID, doc.Name = id, "Tenant "+id
	must[control.Tenant](t)(o.Control.PutTenant(ctx, lena, doc, control.IfNew))
	must[control.Tenant](t)(o.Control.GenerateTenantKey(ctx, lena, id, 0))
	ids := Ids{Tenant: id, Folder: "support", Mailbox: "info"}
	if id == "rival" {
		ids.Folder, ids.Mailbox = "secret-folder", "secret-mailbox"
	}
	must[control.Folder](t)(o.Control.PutFolder(ctx, lena, config.Folder{Tenant: id, ID: ids.Folder, Name: "Support", Address: "support@" + id + ".example"}, control.IfNew))
	m := config.DefaultMailbox()
	m.Tenant, m.ID, m.Name, m.Username, m.Folders = id, ids.Mailbox, "Info", "info@"+id+".example", []string{ids.Folder}
	m.IMAP.Host = "imap." + id + ".example"
	must[control.Mailbox](t)(o.Control.PutMailboxWithPassword(ctx, lena, m, secret.NewString(Password), control.IfNew))
	ids.Mail = o.mail(ids)
	key := schemas.MailKey{Tenant: id, Mailbox: ids.Mailbox, UIDValidity: 7, UID: 99}
	check(t, o.Conn.GiveUp(ctx, schemas.StageFetcher, key, 5, errors.New("downloading: the server hung up")))
	for _, d := range must[[]bus.DeadLetter](t)(o.Conn.DeadLetters(ctx, bus.DeadQuery{Tenant: id})) {
		ids.Dead = o.Letter(id, d)
	}
	return ids
}

// mail stores a mail with an attachment.
func (o *Office) mail(ids Ids) string {
	t := o.t
	t.Helper()
	now := time.Now().UTC()
	raw := fmt.Appendf(nil, Mail, ids.Tenant)
	outcomes := must[[]mailstore.Outcome](t)(o.Store.Persist(t.Context(), []mailstore.Mail{{
		Key:  schemas.MailKey{Tenant: ids.Tenant, Mailbox: ids.Mailbox, UIDValidity: 7, UID: 1},
		Lane: schemas.Light, Size: int64(len(raw)), SHA256: fmt.Sprintf("%064x", 1), InternalDate: now, FetchedAt: now,
		Decision: schemas.Decision{
			Verdict: schemas.Accepted, ClassifiedAt: now, Revision: 3,
			Clones: []schemas.Clone{{Folder: ids.Folder, FolderName: "Support", Address: "support@" + ids.Tenant + ".example", Header: "To", Rule: schemas.RuleExact}},
		},
		Message: message.Parse(raw, message.DefaultLimits()), Raw: raw,
	}}))
	return outcomes[0].MailID
}
