package operation

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/routing"
	"github.com/mailyard/mailyard/pkg/secret"
)

// A MailboxDraft is a mailbox as it stands in a form, saved or not. Without a
// password the stored one is used, if server and username are those that it is
// stored for: it is never sent to another server.
type MailboxDraft struct {
	InTenant
	Body Draft `json:"draft"`
}

// Draft is the body of a MailboxDraft.
type Draft struct {
	ID       string      `json:"id,omitempty" doc:"Id of the mailbox, if it is saved."`
	Document MailboxJSON `json:"document"`
}

// RunDoctor examines the servers of a mailbox, step by step.
type RunDoctor MailboxDraft

// RunDoctor examines the servers of a mailbox that need not be saved.
func (d *Desk) RunDoctor(ctx context.Context, a control.Actor, in *RunDoctor) (doctor.Report, error) {
	return d.FollowDoctor(ctx, a, in, func(doctor.Step) {})
}

// FollowDoctor is RunDoctor with every step told as it begins and as it ends.
// The end of ctx cancels; what was made on the server is removed.
func (d *Desk) FollowDoctor(ctx context.Context, a control.Actor, in *RunDoctor, report func(doctor.Step)) (doctor.Report, error) {
	r, err := d.request(ctx, a, MailboxDraft(*in))
	if err != nil {
		return doctor.Report{}, err
	}
	x, err := d.begin(ctx, r.Document)
	if err != nil {
		return doctor.Report{}, err
	}
	defer x.end()
	out := d.Doctor.Run(ctx, r, report)
	x.note(out.Steps...)
	return out, nil
}

// TestMailbox examines a saved mailbox.
type TestMailbox struct{ InMailbox }

// TestMailbox examines the servers of a saved mailbox, and keeps what the test
// of sending said as the state of the outgoing side.
func (d *Desk) TestMailbox(ctx context.Context, a control.Actor, in *TestMailbox) (doctor.Report, error) {
	return d.FollowTest(ctx, a, in, func(doctor.Step) {})
}

// FollowTest is TestMailbox with every step told as it begins and as it ends.
func (d *Desk) FollowTest(ctx context.Context, a control.Actor, in *TestMailbox, report func(doctor.Step)) (doctor.Report, error) {
	return d.test(ctx, a, in, report, d.begin)
}

// test examines a saved mailbox, once begin found a place for it.
func (d *Desk) test(ctx context.Context, a control.Actor, in *TestMailbox, report func(doctor.Step), begin func(context.Context, config.Mailbox) (*examination, error)) (doctor.Report, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return doctor.Report{}, err
	}
	m, err := d.Control.GetMailbox(ctx, a, in.Tenant, in.ID)
	if err != nil {
		return doctor.Report{}, err
	}
	password, err := d.Control.StoredPassword(ctx, a, m.Document)
	if err != nil {
		return doctor.Report{}, err
	}
	r, err := d.examination(ctx, a, m.Document, password)
	if err != nil {
		return doctor.Report{}, err
	}
	x, err := begin(ctx, m.Document)
	if err != nil {
		return doctor.Report{}, err
	}
	defer x.end()
	out := d.Doctor.Run(ctx, r, report)
	x.note(out.Steps...)
	if m.Document.SMTP.Host != "" && ctx.Err() == nil {
		d.remember(ctx, m, out)
	}
	return out, nil
}

// remember keeps what a test of sending said.
func (d *Desk) remember(ctx context.Context, m control.Mailbox, report doctor.Report) {
	state := lease.OutgoingState{Tenant: m.Document.Tenant, Mailbox: m.Document.ID, At: d.now(), Revision: m.Revision, OK: true}
	tested := false
	for _, s := range report.Steps {
		if !strings.HasPrefix(s.ID, "smtp-") || s.Outcome == doctor.Skipped {
			continue
		}
		tested = true
		if s.Outcome == doctor.Failed && state.OK {
			state.OK, state.Detail = false, s.ForTenant() // its people read it, even when the landlord asked
		}
	}
	if !tested {
		return
	}
	if err := d.Leases.SetOutgoing(ctx, state); err != nil {
		d.Logger.Warn("keeping the outcome of a test", zap.String("tenant", state.Tenant), zap.String("mailbox", state.Mailbox), zap.Error(err))
	}
}

// failedStep returns the first step that failed as an error, nil if none did.
func failedStep(r doctor.Report) error {
	for _, s := range r.Steps {
		if s.Outcome == doctor.Failed {
			answer := s.Answer
			if answer != "" && s.Remedy != "" && !strings.HasSuffix(answer, ".") {
				answer += "." // and the remedy is a sentence of its own
			}
			return Invalid(config.Problem{Path: s.ID, Message: strings.TrimSpace(s.Title + ": " + answer + " " + s.Remedy)})
		}
	}
	return nil
}

// request prepares the examination of a draft.
func (d *Desk) request(ctx context.Context, a control.Actor, in MailboxDraft) (doctor.Request, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return doctor.Request{}, err
	}
	doc, given, problems := decodeMailbox(in.Body.Document.RawMessage, in.Tenant, draftID(in.Body))
	if len(problems) > 0 {
		return doctor.Request{}, problems
	}
	if given != nil {
		return d.examination(ctx, a, doc, *given)
	}
	if in.Body.ID == "" {
		return doctor.Request{}, Invalid(config.Problem{Path: "password", Message: "is not set; enter it first"})
	}
	password, err := d.Control.StoredPassword(ctx, a, doc)
	if err != nil {
		return doctor.Request{}, err
	}
	return d.examination(ctx, a, doc, password)
}

// draftID is an id for a mailbox that has none yet.
func draftID(b Draft) string {
	if b.ID != "" {
		return b.ID
	}
	var named struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(b.Document.RawMessage, &named) == nil && named.ID != "" {
		return named.ID
	}
	return "draft"
}

func (d *Desk) examination(ctx context.Context, a control.Actor, doc config.Mailbox, password secret.String) (doctor.Request, error) {
	folders, err := d.folders(ctx, a, doc)
	if err != nil {
		return doctor.Request{}, err
	}
	r := doctor.Request{
		Document: doc, Password: password, Detailed: a.Role == control.RoleLandlord,
		AllowInsecureIMAP: d.Mail.Insecure(doc.IMAP.Host, doc.IMAP.Port), AllowInsecureSMTP: d.Mail.Insecure(doc.SMTP.Host, doc.SMTP.Port),
	}
	for _, f := range folders {
		r.Addresses = append(r.Addresses, f.Addresses()...)
	}
	r.Taken = func(ctx context.Context, messageID string) (doctor.Taker, error) {
		return d.taker(ctx, a, doc.Tenant, messageID)
	}
	return r, nil
}

// taker returns the mailbox that the pipeline took a mail from, the zero Taker
// if it has not taken it.
func (d *Desk) taker(ctx context.Context, a control.Actor, tenant, messageID string) (doctor.Taker, error) {
	store, err := d.store(ctx, a, tenant)
	if err != nil {
		return doctor.Taker{}, err
	}
	mails, err := store.Mails(ctx, mailstore.Query{Tenant: tenant, MessageID: messageID, Limit: 1})
	if err != nil || len(mails) == 0 {
		return doctor.Taker{}, err
	}
	id := mails[0].Mailbox
	switch m, err := d.Control.GetMailbox(ctx, a, tenant, id); {
	case errors.Is(err, control.ErrNotFound): // it was deleted since
		return doctor.Taker{ID: id, Name: id}, nil
	default:
		return doctor.Taker{ID: id, Name: m.Document.Name}, err
	}
}

// folders returns the folders of a mailbox that exist, in its order.
func (d *Desk) folders(ctx context.Context, a control.Actor, doc config.Mailbox) ([]config.Folder, error) {
	list, err := d.Control.ListFolders(ctx, a, doc.Tenant)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]config.Folder, len(list))
	for _, f := range list {
		byID[f.Document.ID] = f.Document
	}
	folders := make([]config.Folder, 0, len(doc.Folders))
	for _, id := range doc.Folders {
		if f, ok := byID[id]; ok {
			folders = append(folders, f)
		}
	}
	return folders, nil
}

// table compiles the rules of a mailbox, saved or not, as the classifier does.
func (d *Desk) table(ctx context.Context, a control.Actor, doc config.Mailbox) (*routing.Table, error) {
	folders, err := d.folders(ctx, a, doc)
	if err != nil {
		return nil, err
	}
	return routing.Compile(routing.RulesOf(doc, folders)), nil
}

// DryRunMailbox looks at what would become of the newest mails.
type DryRunMailbox MailboxDraft

// dryRunMails is how many of the newest mails a dry run looks at.
const dryRunMails = 50

// DryRunMailbox tells of the newest 50 mails in the inbox where each would go
// and why, and what would happen to it on the server. Nothing is touched.
func (d *Desk) DryRunMailbox(ctx context.Context, a control.Actor, in *DryRunMailbox) (doctor.DryRun, error) {
	r, err := d.request(ctx, a, MailboxDraft(*in))
	if err != nil {
		return doctor.DryRun{}, err
	}
	table, err := d.table(ctx, a, r.Document)
	if err != nil {
		return doctor.DryRun{}, err
	}
	options := doctor.DryRunOptions{Newest: dryRunMails, Since: r.Document.ImportSince, Route: table}
	switch m, err := d.Control.GetMailbox(ctx, a, in.Tenant, r.Document.ID); {
	case err == nil && m.EnabledAt != nil:
		options.EnabledAt = *m.EnabledAt
	case err != nil && !errors.Is(err, control.ErrNotFound):
		return doctor.DryRun{}, err
	}
	x, err := d.begin(ctx, r.Document)
	if err != nil {
		return doctor.DryRun{}, err
	}
	defer x.end()
	out, err := d.Doctor.DryRun(ctx, r, options)
	x.noteError(err)
	return out, reached(err)
}

// ListServerFolders asks the mail server for its folders.
type ListServerFolders MailboxDraft

// ServerFolders are the folders on a mail server, by display name.
type ServerFolders struct {
	Folders []string `json:"folders"`
}

// ListServerFolders returns the folders on the mail server of a mailbox.
func (d *Desk) ListServerFolders(ctx context.Context, a control.Actor, in *ListServerFolders) (ServerFolders, error) {
	r, err := d.request(ctx, a, MailboxDraft(*in))
	if err != nil {
		return ServerFolders{}, err
	}
	x, err := d.begin(ctx, r.Document)
	if err != nil {
		return ServerFolders{}, err
	}
	defer x.end()
	folders, err := d.Doctor.Folders(ctx, r)
	x.noteError(err)
	return ServerFolders{Folders: append([]string{}, folders...)}, reached(err)
}

// reached makes a problem of what went wrong with the mail server.
func reached(err error) error {
	if err == nil {
		return nil
	}
	p := Invalid(config.Problem{Path: "imap.host", Message: "the mail server could not be asked: " + err.Error()})
	p.cause = err
	return p
}
