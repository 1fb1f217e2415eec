package doctor

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

// patience is how long one answer of a server is waited for.
const patience = 20 * time.Second

var errLimit = errors.New("the time for all steps is over")

// A run is one call of Run, DryRun or Folders.
type run struct {
	doctor  Doctor
	req     Request
	report  func(Step)
	log     *zap.Logger
	secrets mailhost.Secrets
	began   time.Time
	steps   []Step

	public map[mailhost.Protocol]bool // the server is on the internet
	hidden map[mailhost.Protocol]bool // its name has addresses, but none that may be dialled
	conn   *imapconn.Conn             // nil: not signed in
	inbox  imapconn.Inbox             // zero: not opened
	made   []string                   // throw-away folders that may be on the server
	token  string                     // of the mails that are sent; empty: not announced
	probes []*probe                   // mails that were sent
}

// step returns a step of the plan.
func (r *run) step(id string) *Step {
	for i := range r.steps {
		if r.steps[i].ID == id {
			return &r.steps[i]
		}
	}
	panic("no step " + id)
}

// start tells that a step begins.
func (r *run) start(id, tried string) *Step {
	s := r.step(id)
	s.Outcome, s.Tried, s.Began = Running, tried, time.Now()
	r.tell(*s)
	return s
}

// finish tells that a step ended; well, when nothing else was said.
func (r *run) finish(s *Step) {
	if s.Outcome == Running {
		s.Outcome = OK
	}
	s.Took = time.Since(s.Began)
	r.tell(*s)
}

// tell reports a step, without secrets.
func (r *run) tell(s Step) {
	s.Tried, s.Answer, s.Remedy, s.Coarse = r.secrets.Redact(s.Tried), r.secrets.Redact(s.Answer), r.secrets.Redact(s.Remedy), r.secrets.Redact(s.Coarse)
	facts := make([]Fact, len(s.Facts))
	for i, f := range s.Facts {
		facts[i] = Fact{f.Name, r.secrets.Redact(f.Value)}
	}
	s.Facts = facts
	*r.step(s.ID) = s
	r.report(s)
}

// skip tells that a step is not tried.
func (r *run) skip(id, why string) {
	s := r.step(id)
	s.Outcome, s.Answer = Skipped, why
	r.tell(*s)
}

// try runs a step unless the time is over. It reports whether the step did not fail.
func (r *run) try(ctx context.Context, id, tried string, do func(*Step) error) bool {
	if ctx.Err() != nil {
		return false // end says so
	}
	s := r.start(id, tried)
	if err := do(s); err != nil {
		r.fail(ctx, s, mailhost.IMAP, err)
	}
	r.finish(s)
	return s.Outcome != Failed
}

// end skips what was not tried.
func (r *run) end(ctx context.Context) {
	outcome, why := Skipped, "A step that it needs did not succeed."
	if ctx.Err() != nil {
		// A report that was cut short is not a good one.
		outcome, why = Failed, r.over(ctx)
	}
	for _, s := range r.steps {
		if s.Outcome != "" {
			continue
		}
		s.Outcome, s.Answer = outcome, why
		r.tell(s)
		outcome = Skipped
	}
}

// over says why ctx ended.
func (r *run) over(ctx context.Context) string {
	if errors.Is(context.Cause(ctx), errLimit) {
		return "The time for all steps (" + r.doctor.Limit.String() + ") is over."
	}
	return "It was cancelled."
}
