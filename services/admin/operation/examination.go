package operation

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/lease"
)

// Limits of examinations, through whichever door, replica and API token: each
// speaks with mail servers for up to 90 seconds.
const (
	examinationsOfTenant = 4
	examinationsAtOnce   = 16 // of all tenants
	// examinationLease is how soon the places of a replica that died are free.
	examinationLease = 30 * time.Second
)

// Limits of failed sign-ins: examinations are no means to guess passwords, nor
// to have a provider lock mailyard out.
const (
	failuresOfHost   = 10 // of a tenant at one mail server
	failuresOfTenant = 50 // at all of them: a server may have many names
	failuresKept     = 10 * time.Minute
)

// An examination holds a place, of its tenant's and of all. Without Redis, where
// all replicas count, there are none: passwords could be guessed without end.
type examination struct {
	desk   *Desk
	doc    config.Mailbox
	places []*lease.Permit
}

// A taker takes a place of a budget; nil: there is none.
type taker func(*lease.Budget, context.Context) (*lease.Permit, error)

// begin takes a place for an examination of the servers of a mailbox, which end
// gives back.
func (d *Desk) begin(ctx context.Context, doc config.Mailbox) (*examination, error) {
	return d.examine(ctx, doc, (*lease.Budget).Try)
}

// await is begin that waits until there is a place.
func (d *Desk) await(ctx context.Context, doc config.Mailbox) (*examination, error) {
	return d.examine(ctx, doc, (*lease.Budget).Acquire)
}

func (d *Desk) examine(ctx context.Context, doc config.Mailbox, take taker) (*examination, error) {
	x := &examination{desk: d, doc: doc}
	if err := x.take(ctx, take); err != nil {
		x.end()
		return nil, err
	}
	return x, nil
}

func (x *examination) take(ctx context.Context, take taker) error {
	for _, b := range []*lease.Budget{
		x.desk.Leases.Budget("examinations/"+x.doc.Tenant, examinationsOfTenant, examinationLease),
		x.desk.Leases.Budget("examinations", examinationsAtOnce, examinationLease),
	} {
		place, err := take(b, ctx)
		switch {
		case err != nil:
			return uncounted(ctx, err)
		case place == nil:
			return tooMany(5*time.Second, "too many examinations are under way; wait until one of them ends")
		}
		x.places = append(x.places, place)
	}
	tenant, imap, smtp := failedAt(x.doc.Tenant, ""), failedAt(x.doc.Tenant, x.doc.IMAP.Host), failedAt(x.doc.Tenant, x.doc.SMTP.Host)
	wait, err := x.desk.Leases.Lately(ctx, failuresKept, tenant, imap, smtp)
	if err != nil {
		return uncounted(ctx, err)
	}
	if wait > 0 {
		return tooMany(wait, "too many sign-ins of examinations failed lately; try again in %d minutes", int((wait+time.Minute-1)/time.Minute))
	}
	return nil
}

// failedAt is the window of the sign-ins of a tenant that failed at a mail
// server; without a host, at all of them.
func failedAt(tenant, host string) lease.Window {
	host = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(host)), ".")
	if host == "" {
		return lease.Window{Key: "examination-failures/" + tenant, Most: failuresOfTenant}
	}
	return lease.Window{Key: "examination-failures/" + tenant + "/" + host, Most: failuresOfHost}
}

// uncounted is the answer while it is not known how many there are.
func uncounted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return problem(http.StatusServiceUnavailable, err, "mail servers cannot be examined now: how often that happens is counted in Redis, which is away; try again in a minute, and tell the landlord if it stays so")
}

func tooMany(after time.Duration, format string, args ...any) *Problem {
	p := problem(http.StatusTooManyRequests, nil, format, args...)
	p.RetryAfter = after
	return p
}

// end gives the places back.
func (x *examination) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) // whoever asked may be gone
	defer cancel()
	for _, place := range x.places {
		place.Return(ctx)
	}
}

// note counts the sign-ins that failed.
func (x *examination) note(steps ...doctor.Step) {
	for _, s := range steps {
		switch {
		case s.Outcome != doctor.Failed:
		case s.ID == doctor.StepSignIn:
			x.failed(x.doc.IMAP.Host)
		case s.ID == doctor.StepSMTPSignIn:
			x.failed(x.doc.SMTP.Host)
		}
	}
}

// noteError is note for the step that an error tells of.
func (x *examination) noteError(err error) {
	var failed *doctor.StepError
	if errors.As(err, &failed) {
		x.note(failed.Step)
	}
}

// failed counts a sign-in that failed, also when whoever asked did not wait for it.
func (x *examination) failed(host string) {
	tenant := x.doc.Tenant
	if err := x.desk.Leases.Happened(context.Background(), failuresKept, failedAt(tenant, host), failedAt(tenant, "")); err != nil {
		x.desk.Logger.Warn("counting a sign-in that failed", zap.String("tenant", tenant), zap.String("host", host), zap.Error(err))
	}
}
