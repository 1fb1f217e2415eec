package operation

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// MailboxFacts asks for what is known of a mailbox at run time.
type MailboxFacts struct{ InMailbox }

// MailboxFacts returns the row of a mailbox in the list.
func (d *Desk) MailboxFacts(ctx context.Context, a control.Actor, in *MailboxFacts) (MailboxRow, error) {
	rows, _, err := d.roster(ctx, a, in.Tenant)
	if err != nil {
		return MailboxRow{}, err
	}
	for i := range rows {
		if rows[i].ID == in.ID {
			return rows[i], nil
		}
	}
	return MailboxRow{}, missing("mailbox " + shorten(in.Tenant+"/"+in.ID))
}

// ListStates asks for the states of a tenant's mailboxes.
type ListStates struct{ InTenant }

// MailboxState is what a replica told of a mailbox.
type MailboxState struct {
	schemas.MailboxState
	Revision string `json:"revision"` // of the mailbox, that is in force
}

func (d *Desk) statesOf(tenant string, list []schemas.MailboxState) []MailboxState {
	out, s := make([]MailboxState, len(list)), d.revisions(tenant)
	for i, state := range list {
		out[i] = MailboxState{state, s.Seal(state.Revision)}
	}
	return out
}

// States are the states of mailboxes, as the replicas that serve them told last.
type States struct {
	States []MailboxState `json:"states"`
}

// ListStates returns the states of a tenant's mailboxes.
func (d *Desk) ListStates(ctx context.Context, a control.Actor, in *ListStates) (States, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return States{}, err
	}
	if _, err := d.Control.GetTenant(ctx, a, in.Tenant); err != nil {
		return States{}, err
	}
	states, err := d.states(ctx, in.Tenant, a.Role == control.RoleLandlord)
	return States{States: d.statesOf(in.Tenant, states)}, err
}

// states returns the states of a tenant's mailboxes, for its people or detailed.
func (d *Desk) states(ctx context.Context, tenant string, detailed bool) ([]schemas.MailboxState, error) {
	if detailed {
		return d.Leases.DetailedStates(ctx, tenant)
	}
	return d.Leases.States(ctx, tenant)
}

// Deletion asks what the deletion of a mailbox would mean.
type Deletion struct{ InMailbox }

// DeletionPlan says what is in flight, and what stays.
type DeletionPlan struct {
	Name     string `json:"name"`
	Waiting  int    `json:"waiting"`   // in the inbox; they stay there
	InFlight int    `json:"in_flight"` // fetched, not yet disposed of; they end well
	Parked   int    `json:"parked"`    // dead letters; their mail stays in the inbox
	Stored   int64  `json:"stored"`    // mails in the messaging database; they stay
}

// Deletion says what the deletion of a mailbox would mean.
func (d *Desk) Deletion(ctx context.Context, a control.Actor, in *Deletion) (DeletionPlan, error) {
	row, err := d.MailboxFacts(ctx, a, &MailboxFacts{in.InMailbox})
	if err != nil {
		return DeletionPlan{}, err
	}
	store, err := d.store(ctx, a, in.Tenant)
	if err != nil {
		return DeletionPlan{}, err
	}
	stats, err := store.Stats(ctx, in.Tenant)
	if err != nil {
		return DeletionPlan{}, err
	}
	plan := DeletionPlan{Name: row.Name, Waiting: row.Waiting, InFlight: row.InFlight, Parked: row.Parked}
	for _, s := range stats.Mailboxes {
		if s.Mailbox != in.ID {
			continue
		}
		plan.Stored = s.Accepted
		for _, n := range s.Invalid {
			plan.Stored += n
		}
	}
	return plan, nil
}

// ListHistory asks for the states that a mailbox went through.
type ListHistory struct {
	InMailbox
	Limit int `query:"limit" json:"limit,omitempty" minimum:"0" maximum:"500" doc:"Most states; 0 is 100."`
}

// History is the states that a mailbox went through in the last 72 hours, the
// newest first, as the people of the tenant read them: they are events.
type History struct {
	States []MailboxState `json:"states"`
}

// ListHistory returns the states that a mailbox went through.
func (d *Desk) ListHistory(ctx context.Context, a control.Actor, in *ListHistory) (History, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return History{}, err
	}
	if _, err := d.Control.GetMailbox(ctx, a, in.Tenant, in.ID); err != nil {
		return History{}, err
	}
	limit := in.Limit
	if limit <= 0 || limit > 500 {
		limit = 100
	}
	states, err := d.Bus.StateHistory(ctx, in.Tenant, in.ID, limit)
	return History{States: d.statesOf(in.Tenant, states)}, err
}

// GetThroughput asks for how much mail came, and how fast.
type GetThroughput struct {
	InTenant
	Mailbox string `query:"mailbox" json:"mailbox,omitempty" doc:"Id of a mailbox; empty: all of the tenant."`
	Hours   int    `query:"hours" json:"hours,omitempty" minimum:"0" maximum:"720" doc:"How far back; 0 is 24 hours."`
}

// Throughput is how much mail came in equal steps of time.
type Throughput struct {
	Since  time.Time                   `json:"since"`
	Until  time.Time                   `json:"until"`
	Step   string                      `json:"step"` // a duration, such as 15m0s
	Points []mailstore.ThroughputPoint `json:"points"`
}

// GetThroughput returns how much mail came, and how fast, for the plots.
func (d *Desk) GetThroughput(ctx context.Context, a control.Actor, in *GetThroughput) (Throughput, error) {
	if err := mayRead(a, in.Tenant); err != nil {
		return Throughput{}, err
	}
	if in.Hours < 0 || in.Hours > 720 {
		return Throughput{}, Invalid(config.Problem{Path: "hours", Message: fmt.Sprintf("%d is not within 0 and 720", in.Hours)})
	}
	store, err := d.store(ctx, a, in.Tenant)
	if err != nil {
		return Throughput{}, err
	}
	hours := time.Duration(max(in.Hours, 1)) * time.Hour
	if in.Hours == 0 {
		hours = 24 * time.Hour
	}
	const points = 96
	step := max(hours/points, time.Minute).Truncate(time.Minute)
	until := d.now().Truncate(step).Add(step)
	q := mailstore.ThroughputQuery{Tenant: in.Tenant, Mailbox: in.Mailbox, Since: until.Add(-hours).Truncate(step), Until: until, Step: step}
	list, err := store.Throughput(ctx, q)
	return Throughput{Since: q.Since, Until: q.Until, Step: step.String(), Points: append([]mailstore.ThroughputPoint{}, list...)}, err
}

// GetProtocol asks for the protocol log of a mailbox.
type GetProtocol struct {
	InMailbox
	After int64 `query:"after" json:"after,omitempty" doc:"Only lines of a higher number."`
}

// Protocol is what was said with the mail server, without secrets and mail.
type Protocol struct {
	Until *time.Time           `json:"until,omitempty"` // nil: it is switched off
	Lines []lease.ProtocolLine `json:"lines"`
}

// GetProtocol returns the protocol log of a mailbox.
func (d *Desk) GetProtocol(ctx context.Context, a control.Actor, in *GetProtocol) (Protocol, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Protocol{}, err
	}
	if _, err := d.Control.GetMailbox(ctx, a, in.Tenant, in.ID); err != nil {
		return Protocol{}, err
	}
	lines, until, err := d.Leases.ProtocolLog(ctx, in.Tenant, in.ID, in.After)
	out := Protocol{Lines: append([]lease.ProtocolLine{}, lines...)}
	if until.After(d.now()) {
		out.Until = &until
	}
	return out, err
}

// SwitchProtocol switches the protocol log of a mailbox on for a while, or off.
type SwitchProtocol struct {
	InMailbox
	Body ProtocolSwitch `json:"switch"`
}

// ProtocolSwitch says for how long.
type ProtocolSwitch struct {
	Minutes int `json:"minutes" minimum:"0" maximum:"60" doc:"For how long; 0 switches it off."`
}

// SwitchProtocol switches the protocol log of a mailbox on for a while, or off.
func (d *Desk) SwitchProtocol(ctx context.Context, a control.Actor, in *SwitchProtocol) (Protocol, error) {
	if err := mayWrite(a, in.Tenant); err != nil {
		return Protocol{}, err
	}
	if in.Body.Minutes < 0 || in.Body.Minutes > 60 {
		return Protocol{}, Invalid(config.Problem{Path: "minutes", Message: fmt.Sprintf("%d is not within 0 and 60", in.Body.Minutes)})
	}
	if _, err := d.Control.GetMailbox(ctx, a, in.Tenant, in.ID); err != nil {
		return Protocol{}, err
	}
	var until time.Time
	change := "protocol log switched off"
	if in.Body.Minutes > 0 {
		until = d.now().Add(time.Duration(in.Body.Minutes) * time.Minute)
		change = fmt.Sprintf("protocol log switched on for %d minutes", in.Body.Minutes)
	}
	if err := d.audit(ctx, a, schemas.KindMailbox, in.Tenant, in.ID, change); err != nil {
		return Protocol{}, err
	}
	if err := d.Leases.SwitchProtocolLog(ctx, in.Tenant, in.ID, until); err != nil {
		return Protocol{}, err
	}
	ctx, cancel := afterwards(ctx)
	defer cancel()
	out, err := d.GetProtocol(ctx, a, &GetProtocol{InMailbox: in.InMailbox})
	if err != nil { // it is switched all the same
		d.Logger.Warn("reading a protocol log that was switched", zap.String("tenant", in.Tenant), zap.String("mailbox", in.ID), zap.Error(err))
		out = Protocol{Until: known(until), Lines: []lease.ProtocolLine{}}
	}
	return out, nil
}

// audit records what changes no document.
func (d *Desk) audit(ctx context.Context, a control.Actor, kind schemas.Kind, tenant, id, change string) error {
	return d.Control.Update(ctx, a, func(tx *control.Tx) error { return tx.Audit(ctx, kind, tenant, id, change) })
}
