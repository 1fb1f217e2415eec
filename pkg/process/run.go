package process

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

// ErrGrace is the cause of the hard stop, and what Run returns after one.
var ErrGrace = errors.New("the grace to stop is over")

// lastWait is how long parts may take to return after the hard stop.
const lastWait = 5 * time.Second

// Options of Run. The zero value serves no health endpoints and logs nothing.
type Options struct {
	Grace    time.Duration        // from the soft to the hard stop, for all parts together; 0 is 30 s
	Health   string               // address of /healthz, /readyz and /metrics, such as ":8080"; empty: none
	Registry *prometheus.Registry // what /metrics shows; nil: nothing
	Notes    func() []string      // lines that /readyz tells besides; nil: none
	Logger   *zap.Logger
}

// Run starts the parts in order, each when the one before is ready, and stops
// them in reverse when ctx is done or one of them ends. It returns when all have
// returned: nil after a stop that was asked for, else the error of the part that
// failed first, with its name. A panic in a part's Run is its failure.
//
// Parts that have not returned within the grace see Hard end; those that do not
// return within another 5 s are named in the error and left behind.
func Run(ctx context.Context, o Options, parts ...Part) error {
	if o.Grace <= 0 {
		o.Grace = 30 * time.Second
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	h := newHealth(parts)
	if o.Health != "" {
		server := &HTTPServer{Addr: o.Health, Handler: h.handler(o.Registry, o.Notes), Logger: o.Logger}
		parts = slices.Insert(slices.Clone(parts), 0, Part{Name: "health", Service: server})
	}
	r := &run{ctx: ctx, logger: o.Logger, health: h, ended: make(chan *part, len(parts))}
	hard, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(context.Canceled)
	if r.start(WithHard(hard, hard), parts) {
		h.serving.Store(true)
		o.Logger.Info("ready")
		r.wait(nil)
	}
	h.serving.Store(false)
	o.Logger.Info("stopping")
	grace := time.AfterFunc(o.Grace, func() { cut(ErrGrace) })
	defer grace.Stop()
	r.stop(hard)
	return r.err
}

// run is one call of Run. Its fields belong to the goroutine of Run.
type run struct {
	ctx     context.Context
	logger  *zap.Logger
	health  *health
	started []*part
	ended   chan *part
	err     error // of the part that failed first
}

// part is a started part. err and served may be read when done is closed.
type part struct {
	name   string
	stop   context.CancelFunc
	ready  chan struct{}
	done   chan struct{}
	served bool
	err    error
}

// start reports whether all parts are ready.
func (r *run) start(base context.Context, parts []Part) bool {
	for _, spec := range parts {
		ctx, cancel := context.WithCancel(base)
		p := &part{name: spec.Name, stop: cancel, ready: make(chan struct{}), done: make(chan struct{})}
		r.started = append(r.started, p)
		go r.runPart(ctx, p, spec.Service)
		if !r.wait(p.ready) {
			return false
		}
	}
	return true
}

func (r *run) runPart(ctx context.Context, p *part, s Service) {
	defer func() {
		if v := recover(); v != nil {
			r.logger.Error("part panicked", zap.String("part", p.name), zap.Any("panic", v), zap.ByteString("stack", debug.Stack()))
			p.err = fmt.Errorf("panic: %v", v)
		}
		p.stop()
		r.ended <- p
		close(p.done)
	}()
	p.err = s.Run(ctx, r.readyFunc(p))
	select {
	case <-p.ready:
		p.served = true
	default:
	}
}

// readyFunc returns what the part calls, from any goroutine, when it serves.
func (r *run) readyFunc(p *part) func() {
	first := make(chan struct{}, 1)
	return func() {
		select {
		case first <- struct{}{}:
			r.logger.Debug("part ready", zap.String("part", p.name))
			r.health.setReady(p.name)
			close(p.ready)
		default:
		}
	}
}

// wait returns true when until is closed, and false when the parts must stop.
func (r *run) wait(until <-chan struct{}) bool {
	for {
		select {
		case <-r.ctx.Done():
			return false
		case <-until:
			return true
		case p := <-r.ended:
			if p.err == nil && !p.served { // a task that is done
				r.health.setReady(p.name)
				if p.ready == until {
					return true
				}
				continue
			}
			r.failed(p)
			return false
		}
	}
}

// failed takes the end of a part that was not asked to, or could not, end well.
func (r *run) failed(p *part) {
	err := p.err
	if err == nil {
		err = errors.New("ended though nobody asked it to")
	}
	if r.err == nil {
		r.err = fmt.Errorf("%s: %w", p.name, err)
		return
	}
	r.logger.Error("part failed while stopping", zap.String("part", p.name), zap.Error(err))
}

// stop stops the parts in reverse, or all at once when hard is done.
func (r *run) stop(hard context.Context) {
	var late []string
	for _, p := range slices.Backward(r.started) {
		p.stop()
		select {
		case <-p.done:
		case <-hard.Done():
			late = append(late, p.name)
		}
	}
	if len(late) > 0 {
		r.abandon(hard, late)
	}
	for {
		select {
		case p := <-r.ended:
			if p.err != nil && !errors.Is(p.err, context.Canceled) {
				r.failed(p)
			}
		default:
			return
		}
	}
}

// abandon waits a last time for the parts that outlived the grace.
func (r *run) abandon(hard context.Context, late []string) {
	last, cancel := context.WithTimeout(context.WithoutCancel(hard), lastWait)
	defer cancel()
	var stuck []string
	for _, p := range r.started {
		select {
		case <-p.done:
		case <-last.Done():
			stuck = append(stuck, p.name)
		}
	}
	r.logger.Error("grace over", zap.Strings("late", late), zap.Strings("stuck", stuck))
	if r.err != nil {
		return
	}
	r.err = fmt.Errorf("stopping: %w, cut off: %s", ErrGrace, strings.Join(late, ", "))
	if len(stuck) > 0 {
		r.err = fmt.Errorf("%w; left behind: %s", r.err, strings.Join(stuck, ", "))
	}
}
