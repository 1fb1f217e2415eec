package operation

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
)

// Mailbox is a mailbox as it is shown. The password is never shown.
type Mailbox struct {
	Document    config.Mailbox  `json:"document"`
	Revision    string          `json:"revision"`
	HasPassword bool            `json:"has_password"`
	EnabledAt   *time.Time      `json:"enabled_at,omitempty"` // import_since new counts from here
	Missing     config.Problems `json:"missing"`              // what it lacks to be enabled
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
}

// ETagRevision is the mailbox's revision.
func (m Mailbox) ETagRevision() string { return m.Revision }

// mailbox turns what package control gives into what is shown.
func (d *Desk) mailbox(ctx context.Context, a control.Actor, m control.Mailbox, err error) (Mailbox, error) {
	if err != nil {
		return Mailbox{}, err
	}
	out := Mailbox{Document: m.Document, Revision: d.revisions(m.Document.Tenant).Seal(m.Revision), HasPassword: m.HasPassword, EnabledAt: m.EnabledAt, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt}
	out.Missing, err = d.missing(ctx, a, m.Document, m.HasPassword)
	return out, err
}

// committed is mailbox for what was changed just now: that nothing more can be
// read of it does not undo the change, and is no reason to say that it failed.
func (d *Desk) committed(ctx context.Context, a control.Actor, m control.Mailbox, err error) (Mailbox, error) {
	if err != nil {
		return Mailbox{}, err
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	out, err := d.mailbox(ctx, a, m, nil)
	if err != nil {
		d.Logger.Warn("reading what a changed mailbox lacks", zap.String("tenant", m.Document.Tenant), zap.String("mailbox", m.Document.ID), zap.Error(err))
		out.Missing = append(config.Problems{}, config.MissingToEnable(m.Document)...)
	}
	return out, nil
}

// afterwards is for what is read after a change, also when whoever asked is gone.
func afterwards(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
}

// missing names every prerequisite that a mailbox lacks to be enabled.
func (d *Desk) missing(ctx context.Context, a control.Actor, doc config.Mailbox, password bool) (config.Problems, error) {
	t, err := d.Control.GetTenant(ctx, a, doc.Tenant)
	if err != nil {
		return nil, err
	}
	problems := config.Problems{}
	switch {
	case t.KeyID == "":
		problems = append(problems, config.Problem{Path: "password", Message: "the tenant has no Tenant Encryption Key, without which no password can be kept; the landlord must set it in the Tenant Parameters"})
	case !password:
		problems = append(problems, config.Problem{Path: "password", Message: "the Password is not set, without which the mailbox cannot be enabled"})
	}
	return append(problems, config.MissingToEnable(doc)...), nil
}

// InMailbox is the part of an input that names a mailbox.
type InMailbox struct {
	InTenant
	ID string `path:"mailbox" json:"id" doc:"Id of the mailbox."`
}

// GetMailbox asks for a mailbox.
type GetMailbox struct{ InMailbox }

// GetMailbox returns a mailbox: every setting as it is in force.
func (d *Desk) GetMailbox(ctx context.Context, a control.Actor, in *GetMailbox) (Mailbox, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return Mailbox{}, err
	}
	m, err := d.Control.GetMailbox(ctx, a, in.Tenant, in.ID)
	return d.mailbox(ctx, a, m, err)
}

// PutMailbox creates or replaces a mailbox. A password that is left out stays.
type PutMailbox struct {
	InMailbox
	Condition
	Body MailboxJSON `json:"document"`
}

// PutMailbox creates or replaces a mailbox.
func (d *Desk) PutMailbox(ctx context.Context, a control.Actor, in *PutMailbox) (Mailbox, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Mailbox{}, err
	}
	based, err := in.based(true, d.revisions(in.Tenant))
	if err != nil {
		return Mailbox{}, err
	}
	doc, password, problems := decodeMailbox(in.Body.RawMessage, in.Tenant, in.ID)
	if len(problems) > 0 {
		return Mailbox{}, refused(d.Control.CheckMailbox(ctx, a, doc, password, based, problems))
	}
	var m control.Mailbox
	if password == nil {
		m, err = d.Control.PutMailbox(ctx, a, doc, based)
	} else {
		m, err = d.Control.PutMailboxWithPassword(ctx, a, doc, *password, based)
	}
	return d.committed(ctx, a, m, err)
}

// SetPassword sets a mailbox's password.
type SetPassword struct {
	InMailbox
	Condition
	Body Password `json:"password"`
}

// Password is a password that is set.
type Password struct {
	Password string `json:"password" doc:"It is never shown again." writeOnly:"true"`
}

// SetPassword sets a mailbox's password.
func (d *Desk) SetPassword(ctx context.Context, a control.Actor, in *SetPassword) (Mailbox, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Mailbox{}, err
	}
	based, err := in.based(false, d.revisions(in.Tenant))
	if err != nil {
		return Mailbox{}, err
	}
	m, err := d.Control.SetPassword(ctx, a, in.Tenant, in.ID, secret.NewString(in.Body.Password), based)
	return d.committed(ctx, a, m, err)
}

// EnableMailbox lets the pipeline work on a mailbox.
type EnableMailbox struct {
	InMailbox
	Condition
}

// EnableMailbox lets the pipeline work on a mailbox; what is missing is named.
func (d *Desk) EnableMailbox(ctx context.Context, a control.Actor, in *EnableMailbox) (Mailbox, error) {
	return d.setEnabled(ctx, a, in.InMailbox, in.Condition, d.Control.Enable)
}

// DisableMailbox takes a mailbox out of the pipeline.
type DisableMailbox struct {
	InMailbox
	Condition
}

// DisableMailbox takes a mailbox out of the pipeline. Its mail in flight waits.
func (d *Desk) DisableMailbox(ctx context.Context, a control.Actor, in *DisableMailbox) (Mailbox, error) {
	return d.setEnabled(ctx, a, in.InMailbox, in.Condition, d.Control.Disable)
}

func (d *Desk) setEnabled(ctx context.Context, a control.Actor, in InMailbox, c Condition, set func(context.Context, control.Actor, string, string, int64) (control.Mailbox, error)) (Mailbox, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Mailbox{}, err
	}
	based, err := c.based(false, d.revisions(in.Tenant))
	if err != nil {
		return Mailbox{}, err
	}
	m, err := set(ctx, a, in.Tenant, in.ID, based)
	return d.committed(ctx, a, m, err)
}

// DeleteMailbox deletes a mailbox.
type DeleteMailbox struct {
	InMailbox
	Condition
}

// DeleteMailbox deletes a mailbox. Its mail in flight ends well, and what is
// stored stays in the messaging database.
func (d *Desk) DeleteMailbox(ctx context.Context, a control.Actor, in *DeleteMailbox) (Done, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Done{}, err
	}
	based, err := in.based(false, d.revisions(in.Tenant))
	if err != nil {
		return Done{}, err
	}
	if err := d.Control.DeleteMailbox(ctx, a, in.Tenant, in.ID, based); err != nil {
		return Done{}, err
	}
	return done("Mailbox %s is deleted. Mail in flight ends well; what is stored stays in the messaging database.", in.ID), nil
}

// CheckMailbox looks at a mailbox that is not saved.
type CheckMailbox struct {
	InMailbox
	Body MailboxJSON `json:"document"`
}

// MailboxCheck is what is wrong with a mailbox that is not saved.
type MailboxCheck struct {
	Problems config.Problems `json:"problems"` // it could not be saved
	Missing  config.Problems `json:"missing"`  // it could not be enabled
}

// CheckMailbox says what is wrong with values that are not saved, all at once,
// without storing anything.
func (d *Desk) CheckMailbox(ctx context.Context, a control.Actor, in *CheckMailbox) (MailboxCheck, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return MailboxCheck{}, err
	}
	has := false
	if m, err := d.Control.GetMailbox(ctx, a, in.Tenant, in.ID); err == nil {
		has = m.HasPassword
	}
	doc, password, known := decodeMailbox(in.Body.RawMessage, in.Tenant, in.ID)
	problems, err := d.Control.CheckMailbox(ctx, a, doc, password, 0, known)
	if err != nil {
		return MailboxCheck{}, err
	}
	out := MailboxCheck{Problems: append(config.Problems{}, problems...)}
	out.Missing, err = d.missing(ctx, a, doc, has || password != nil)
	return out, err
}
