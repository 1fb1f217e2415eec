package process

import "context"

// A Service is a long-running part of a program.
//
// Run calls ready once it serves, and returns when ctx is done and what it had
// begun is finished: the soft stop. What it finishes runs under Hard(ctx), whose
// end is the hard stop. A service returns nil, or the error of ctx, when it was
// stopped. Returning nil without having called ready means that there is
// nothing to serve: a task that is done. Returning nil later, unasked, counts
// as a failure.
type Service interface {
	Run(ctx context.Context, ready func()) error
}

// Func makes a Service of a function.
type Func func(ctx context.Context, ready func()) error

// Run calls f.
func (f Func) Run(ctx context.Context, ready func()) error { return f(ctx, ready) }

// A Part is a Service with the name that logs, errors and /readyz call it.
type Part struct {
	Name    string
	Service Service
}

type hardKey struct{}

// Hard returns the context whose end is the hard stop of the service that was
// given ctx: the grace is over, and what is not finished is abandoned. Outside
// of Run it never ends.
func Hard(ctx context.Context) context.Context {
	if hard, ok := ctx.Value(hardKey{}).(context.Context); ok {
		return hard
	}
	return context.WithoutCancel(ctx)
}

// WithHard returns a ctx whose Hard is the given context.
func WithHard(ctx, hard context.Context) context.Context {
	return context.WithValue(ctx, hardKey{}, hard)
}
