package operation

import (
	"context"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/opaque"
	"github.com/mailyard/mailyard/schemas"
)

// ListMails asks for a page of the ledger.
type ListMails struct {
	InTenant
	Mailbox   string          `query:"mailbox" json:"mailbox,omitempty" doc:"Id of the mailbox."`
	Folder    string          `query:"folder" json:"folder,omitempty" doc:"Id of a folder that the mail was cloned into."`
	Verdict   schemas.Verdict `query:"verdict" json:"verdict,omitempty" enum:"accepted,invalid"`
	Reason    schemas.Reason  `query:"reason" json:"reason,omitempty" enum:"oversize,no-matching-folder,unparsable,loop"`
	State     mailstore.State `query:"state" json:"state,omitempty" enum:"undisposed,disposed" doc:"Whether the mail has left the inbox."`
	Text      string          `query:"text" json:"text,omitempty" maxLength:"500" doc:"Words in subject, addresses or text."`
	Address   string          `query:"address" json:"address,omitempty" maxLength:"320" doc:"Address of a sender or recipient."`
	Subject   string          `query:"subject" json:"subject,omitempty" maxLength:"500" doc:"Part of the subject."`
	MessageID string          `query:"message_id" json:"message_id,omitempty" maxLength:"998"`
	Since     string          `query:"since" json:"since,omitempty" maxLength:"40" doc:"Stored at or after: RFC 3339, or a date."`
	Until     string          `query:"until" json:"until,omitempty" maxLength:"40" doc:"Stored before: RFC 3339, or a date."`
	Before    string          `query:"before" json:"before,omitempty" maxLength:"100" doc:"next of another page."`
	Limit     int             `query:"limit" json:"limit,omitempty" minimum:"0" maximum:"500" doc:"Most mails of the page; 0 is 50."`
}

// MailPage is a page of the ledger, the newest first.
type MailPage struct {
	Mails []mailstore.Summary `json:"mails"`
	Next  string              `json:"next,omitempty"` // empty: there are no more
}

// ListMails returns a page of the ledger: every mail that was stored.
func (d *Desk) ListMails(ctx context.Context, a control.Actor, in *ListMails) (MailPage, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return MailPage{}, err
	}
	q, err := in.query(d.Control.Sealer(mailNumber, in.Tenant))
	if err != nil {
		return MailPage{}, err
	}
	store, err := d.store(ctx, a, in.Tenant)
	if err != nil {
		return MailPage{}, err
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is another page
	mails, err := store.Mails(ctx, q)
	if err != nil {
		return MailPage{}, err
	}
	page := MailPage{Mails: append([]mailstore.Summary{}, mails...)}
	if len(page.Mails) > limit {
		page.Mails = page.Mails[:limit]
		page.Next = sealPlace(page.Mails[limit-1].Place(), d.Control.Sealer(mailNumber, in.Tenant))
	}
	return page, nil
}

func (in *ListMails) query(s opaque.Sealer) (mailstore.Query, error) {
	var problems config.Problems
	when := func(path, s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04", time.DateOnly} {
			if t, err := time.Parse(layout, s); err == nil {
				return t
			}
		}
		problems = append(problems, config.Problem{Path: path, Message: fmt.Sprintf("%q is neither a time (2026-01-31T08:00:00Z) nor a date (2026-01-31)", shorten(s))})
		return time.Time{}
	}
	before, ok := openPlace(in.Before, s)
	q := mailstore.Query{
		Tenant: in.Tenant, Mailbox: in.Mailbox, Folder: in.Folder, Verdict: in.Verdict, Reason: in.Reason, State: in.State,
		Text: in.Text, Address: in.Address, Subject: in.Subject, MessageID: in.MessageID,
		Since: when("since", in.Since), Until: when("until", in.Until), Before: before, Limit: in.Limit,
	}
	if !ok {
		problems = append(problems, notNext)
	}
	switch {
	case q.Limit < 0 || q.Limit > 500:
		problems = append(problems, config.Problem{Path: "limit", Message: fmt.Sprintf("%d is not within 0 and 500", q.Limit)})
	case q.Limit == 0:
		q.Limit = 50
	}
	return q, problems.Err()
}

// InMail is the part of an input that names a mail.
type InMail struct {
	InTenant
	ID string `path:"mail" json:"id" doc:"mail_id of the mail."`
}

// GetMail asks for a mail.
type GetMail struct{ InMail }

// Mail is a mail as it is shown.
type Mail struct {
	mailstore.Detail
	Revision string `json:"revision"` // of the configuration that decided
}

// GetMail returns all that is stored of a mail but its bytes: its way with the
// times of every stage, its clones and why.
func (d *Desk) GetMail(ctx context.Context, a control.Actor, in *GetMail) (Mail, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return Mail{}, err
	}
	store, err := d.store(ctx, a, in.Tenant)
	if err != nil {
		return Mail{}, err
	}
	m, err := store.Mail(ctx, in.Tenant, in.ID)
	return Mail{m, d.revisions(in.Tenant).Seal(m.Revision)}, in.missing(err)
}

// GetRawMail asks for the bytes of a mail.
type GetRawMail struct{ InMail }

// GetRawMail returns the bytes of a mail as the server gave them.
func (d *Desk) GetRawMail(ctx context.Context, a control.Actor, in *GetRawMail) (File, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return File{}, err
	}
	store, err := d.store(ctx, a, in.Tenant)
	if err != nil {
		return File{}, err
	}
	raw, err := store.Raw(ctx, in.Tenant, in.ID)
	return File{Name: in.ID + ".eml", ContentType: "message/rfc822", Content: raw}, in.missing(err)
}

// GetAttachment asks for an attachment.
type GetAttachment struct {
	InMail
	Position int `path:"position" json:"position" minimum:"1" doc:"Its number in the mail, from 1."`
}

// GetAttachment returns an attachment. The type is what the mail says and must
// not be believed: doors hand it out as a download only.
func (d *Desk) GetAttachment(ctx context.Context, a control.Actor, in *GetAttachment) (File, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return File{}, err
	}
	store, err := d.store(ctx, a, in.Tenant)
	if err != nil {
		return File{}, err
	}
	f, err := store.Attachment(ctx, in.Tenant, in.ID, in.Position)
	return File{Name: f.Filename, ContentType: f.ContentType, Content: f.Content}, in.missing(err)
}

// missing names the mail in the answer that it does not exist.
func (in InMail) missing(err error) error {
	if err != nil && isNotFound(err) {
		return missing("mail " + shorten(in.ID))
	}
	return err
}
