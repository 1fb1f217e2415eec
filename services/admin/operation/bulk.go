package operation

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/doctor"
)

// A BulkAction is what is done with many mailboxes.
type BulkAction string

// The bulk actions.
const (
	BulkEnable  BulkAction = "enable"
	BulkDisable BulkAction = "disable"
	BulkTest    BulkAction = "test"
	BulkDelete  BulkAction = "delete"
)

const (
	// maxTests is the most mailboxes that one request tests: each takes seconds.
	maxTests = 100
	// testsAtOnce is how many of them are tested at a time, if there is place for
	// them: one of the tenant's places is left for somebody who waits for an answer.
	testsAtOnce = examinationsOfTenant - 1
)

// BulkMailboxes does one thing with many mailboxes.
type BulkMailboxes struct {
	InTenant
	Body Bulk `json:"bulk"`
}

// Bulk says what is done with which mailboxes.
type Bulk struct {
	Action BulkAction     `json:"action" enum:"enable,disable,test,delete"`
	IDs    []string       `json:"ids,omitempty" maxItems:"10000" doc:"Ids of the mailboxes."`
	Filter *MailboxFilter `json:"filter,omitempty" doc:"All that it selects, in place of ids."`
	Count  int            `json:"count,omitempty" doc:"How many they are. To delete, or with a filter, it must be given and right: nobody changes more than was seen."`
	DryRun bool           `json:"dry_run,omitempty" doc:"Only say which they are."`
}

// BulkResult is what became of every mailbox.
type BulkResult struct {
	Action  BulkAction    `json:"action"`
	Results []BulkOutcome `json:"results"`
	Done    int           `json:"done"`
	Failed  int           `json:"failed"`

	// What was there when it began, of all of them together.
	Waiting  int `json:"waiting"`   // in the inboxes, not yet fetched
	InFlight int `json:"in_flight"` // fetched, not yet disposed of
	Parked   int `json:"parked"`    // dead letters whose mail waits in an inbox
}

// BulkOutcome is what became of one mailbox.
type BulkOutcome struct {
	ID      string   `json:"id"`
	Name    string   `json:"name,omitempty"`
	OK      bool     `json:"ok"`
	Problem *Problem `json:"problem,omitempty"`
}

// BulkMailboxes enables, disables, tests or deletes mailboxes, each by itself:
// what cannot be done with one does not hold up the others.
func (d *Desk) BulkMailboxes(ctx context.Context, a control.Actor, in *BulkMailboxes) (BulkResult, error) {
	b := in.Body
	if err := mayWrite(a, in.Tenant); err != nil {
		return BulkResult{}, err
	}
	one, err := d.bulkAction(in.Tenant, b.Action)
	if err != nil {
		return BulkResult{}, err
	}
	out := BulkResult{Action: b.Action}
	if err := d.choose(ctx, a, in.Tenant, b, &out); err != nil {
		return BulkResult{}, err
	}
	outcomes := out.Results
	if b.DryRun {
		return out, nil
	}
	var g errgroup.Group
	g.SetLimit(1)
	if b.Action == BulkTest {
		g.SetLimit(testsAtOnce)
	}
	for i := range outcomes {
		g.Go(func() error {
			if err := ctx.Err(); err != nil { // whoever asked has left, or it took too long: no fault of the mailboxes
				return err
			}
			o := &outcomes[i]
			if err := one(ctx, a, o.ID); err != nil {
				o.Problem = d.failed(a, b.Action, in.Tenant, o.ID, err)
			}
			o.OK = o.Problem == nil
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return out, err
	}
	for _, o := range outcomes {
		if o.OK {
			out.Done++
		} else {
			out.Failed++
		}
	}
	return out, nil
}

// failed is the problem of one of the mailboxes. Faults of ours are in the log,
// under the reference that it has.
func (d *Desk) failed(a control.Actor, action BulkAction, tenant, id string, err error) *Problem {
	p := *ProblemOf(err)
	if p.Status >= http.StatusInternalServerError {
		reference := NewReference()
		p.Detail += " (reference " + reference + ")"
		d.Logger.Error("doing one thing with many mailboxes", zap.String("action", string(action)), zap.String("tenant", tenant), zap.String("mailbox", id),
			zap.String("actor", a.Name), zap.String("reference", reference), zap.Error(err))
	}
	return &p
}

// choose finds the mailboxes that the action is about, none done yet.
func (d *Desk) choose(ctx context.Context, a control.Actor, tenant string, b Bulk, out *BulkResult) error {
	rows, _, err := d.roster(ctx, a, tenant)
	if err != nil {
		return err
	}
	if (b.Filter == nil) == (len(b.IDs) == 0) {
		return Invalid(config.Problem{Path: "ids", Message: "give either ids or a filter"})
	}
	if b.Filter != nil {
		for _, r := range b.Filter.of(rows) {
			out.choose(r)
		}
	} else {
		byID := make(map[string]*MailboxRow, len(rows))
		for i := range rows {
			byID[rows[i].ID] = &rows[i]
		}
		ids := slices.Clone(b.IDs)
		slices.Sort(ids)
		for _, id := range slices.Compact(ids) {
			if r := byID[id]; r != nil {
				out.choose(r)
			} else {
				out.choose(&MailboxRow{ID: id})
			}
		}
	}
	n := len(out.Results)
	switch {
	case b.Action == BulkTest && n > maxTests:
		return Invalid(config.Problem{Path: "ids", Message: fmt.Sprintf("are %d mailboxes; at most %d can be tested at once", n, maxTests)})
	case b.DryRun:
	case (b.Action == BulkDelete || b.Filter != nil) && b.Count != n:
		return problem(http.StatusConflict, nil, "count is %d, but these are %d mailboxes now; look again and confirm their number", b.Count, n)
	}
	return nil
}

func (out *BulkResult) choose(r *MailboxRow) {
	out.Results = append(out.Results, BulkOutcome{ID: r.ID, Name: r.Name})
	out.Waiting, out.InFlight, out.Parked = out.Waiting+r.Waiting, out.InFlight+r.InFlight, out.Parked+r.Parked
}

func (d *Desk) bulkAction(tenant string, action BulkAction) (func(context.Context, control.Actor, string) error, error) {
	switch action {
	case BulkEnable:
		return func(ctx context.Context, a control.Actor, id string) error {
			_, err := d.Control.Enable(ctx, a, tenant, id, 0)
			return err
		}, nil
	case BulkDisable:
		return func(ctx context.Context, a control.Actor, id string) error {
			_, err := d.Control.Disable(ctx, a, tenant, id, 0)
			return err
		}, nil
	case BulkDelete:
		return func(ctx context.Context, a control.Actor, id string) error {
			return d.Control.DeleteMailbox(ctx, a, tenant, id, 0)
		}, nil
	case BulkTest:
		return func(ctx context.Context, a control.Actor, id string) error {
			report, err := d.test(ctx, a, &TestMailbox{InMailbox{InTenant{tenant}, id}}, func(doctor.Step) {}, d.await)
			if err != nil {
				return err
			}
			return failedStep(report)
		}, nil
	}
	return nil, Invalid(config.Problem{Path: "action", Message: fmt.Sprintf("%q is none of enable, disable, test, delete", shorten(string(action)))})
}
