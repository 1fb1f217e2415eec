package operation

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

// MaxSimulated is the largest mail in bytes that the simulator takes. It looks
// at the header only.
const MaxSimulated = 1 << 20

// Simulate asks where a mail would go.
type Simulate struct {
	InTenant
	Body SimulatedMail `json:"mail"`
}

// SimulatedMail is a mail, or only its header.
type SimulatedMail struct {
	Mailbox string `json:"mailbox,omitempty" doc:"Id of the mailbox that it would arrive in; empty: one with all folders of the tenant and default rules."`
	Text    string `json:"text,omitempty" text:"any" doc:"The header, or the whole mail, as text."`
	Base64  string `json:"base64,omitempty" text:"any" doc:"The same in base64, in place of text, for mail that is not UTF-8."`
}

// Simulation is where a mail would go, and why.
type Simulation struct {
	Mailbox     string             `json:"mailbox,omitempty"`
	Subject     string             `json:"subject"`
	Decision    schemas.Decision   `json:"decision"`
	Lane        schemas.Lane       `json:"lane"`
	Consequence string             `json:"consequence"` // what would happen on the server, in words
	Addresses   []SimulatedAddress `json:"addresses"`
}

// SimulatedAddress is an address that routing looked at.
type SimulatedAddress struct {
	schemas.Recipient
	FolderName string `json:"folder_name,omitempty"`
}

// Simulate says where a mail would go, by the same function that decides for
// real mail. Nothing is stored.
func (d *Desk) Simulate(ctx context.Context, a control.Actor, in *Simulate) (Simulation, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return Simulation{}, err
	}
	raw, err := in.Body.bytes()
	if err != nil {
		return Simulation{}, err
	}
	doc, err := d.simulatedMailbox(ctx, a, in.Tenant, in.Body.Mailbox)
	if err != nil {
		return Simulation{}, err
	}
	table, err := d.table(ctx, a, doc)
	if err != nil {
		return Simulation{}, err
	}
	m := message.Parse(message.HeaderSection(raw), message.DefaultLimits())
	out := Simulation{Mailbox: in.Body.Mailbox, Subject: m.Subject, Decision: table.Route(m.Header), Lane: schemas.Light, Addresses: []SimulatedAddress{}}
	if int64(len(raw)) > doc.MaxLightBytes {
		out.Lane = schemas.Large
	}
	folders, err := d.folders(ctx, a, doc)
	if err != nil {
		return Simulation{}, err
	}
	for _, r := range out.Decision.Recipients {
		s := SimulatedAddress{Recipient: r}
		for _, f := range folders {
			if f.ID == r.Folder {
				s.FolderName = f.Name
			}
		}
		out.Addresses = append(out.Addresses, s)
	}
	out.Consequence = consequence(doc, out.Decision)
	return out, nil
}

// consequence says what would happen to a mail on the server.
func consequence(doc config.Mailbox, decision schemas.Decision) string {
	method, folder := doc.PersistedMethod, doc.PersistedFolder
	if decision.Verdict == schemas.Invalid {
		method, folder = doc.InvalidMethod, doc.InvalidFolder
	}
	if method == "delete" {
		return "it would be deleted from the mail server, by way of " + doc.DeletedFolder
	}
	return "it would be moved to " + folder
}

func (m SimulatedMail) bytes() ([]byte, error) {
	if (m.Text == "") == (m.Base64 == "") {
		return nil, Invalid(config.Problem{Path: "text", Message: "give a header or a mail, as text or as base64"})
	}
	raw := []byte(m.Text)
	if m.Base64 != "" {
		var err error
		if raw, err = base64.StdEncoding.DecodeString(strings.TrimSpace(m.Base64)); err != nil {
			return nil, Invalid(config.Problem{Path: "base64", Message: "is not base64"})
		}
	}
	if len(raw) > MaxSimulated {
		return nil, Invalid(config.Problem{Path: "text", Message: fmt.Sprintf("has %s; the simulator takes at most %s, the header is enough", config.FormatSize(int64(len(raw))), config.FormatSize(MaxSimulated))})
	}
	return raw, nil
}

// simulatedMailbox returns the mailbox, or one with all folders of the tenant.
func (d *Desk) simulatedMailbox(ctx context.Context, a control.Actor, tenant, id string) (config.Mailbox, error) {
	if id != "" {
		m, err := d.Control.GetMailbox(ctx, a, tenant, id)
		return m.Document, err
	}
	if _, err := d.Control.GetTenant(ctx, a, tenant); err != nil {
		return config.Mailbox{}, err
	}
	list, err := d.Control.ListFolders(ctx, a, tenant)
	if err != nil {
		return config.Mailbox{}, err
	}
	doc := config.DefaultMailbox()
	doc.Tenant = tenant
	for _, f := range list {
		doc.Folders = append(doc.Folders, f.Document.ID)
	}
	return doc, nil
}

// ListUnmatched asks for addresses that no folder has.
type ListUnmatched struct {
	InTenant
	Mailbox string `query:"mailbox" json:"mailbox,omitempty" doc:"Id of a mailbox; empty: all of the tenant."`
	Days    int    `query:"days" json:"days,omitempty" minimum:"0" maximum:"90" doc:"How far back; 0 is 7 days."`
	Limit   int    `query:"limit" json:"limit,omitempty" minimum:"0" maximum:"500" doc:"Most addresses; 0 is 100."`
}

// Unmatched are the recipient addresses of mail that matched no folder.
type Unmatched struct {
	Addresses []mailstore.UnmatchedAddress `json:"addresses"`
}

// ListUnmatched returns the addresses that were seen lately and match no folder.
func (d *Desk) ListUnmatched(ctx context.Context, a control.Actor, in *ListUnmatched) (Unmatched, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return Unmatched{}, err
	}
	store, err := d.store(ctx, a, in.Tenant)
	if err != nil {
		return Unmatched{}, err
	}
	days, limit := in.Days, in.Limit
	if days <= 0 || days > 90 {
		days = 7
	}
	if limit <= 0 || limit > 500 {
		limit = 100
	}
	list, err := store.UnmatchedAddresses(ctx, in.Tenant, in.Mailbox, d.now().Add(-time.Duration(days)*24*time.Hour), limit)
	return Unmatched{Addresses: append([]mailstore.UnmatchedAddress{}, list...)}, err
}
