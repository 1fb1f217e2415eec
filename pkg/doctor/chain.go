package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// A chain makes steps of the stages of one connection.
type chain struct {
	run      *run
	ctx      context.Context // of the one call that the chain watches
	protocol mailhost.Protocol
	target   mailhost.Target
	steps    map[mailhost.Stage]string // a stage may share its step with others
	current  *Step
	stage    mailhost.Stage
	greeting *mailhost.Progress // in the clear, before TLS
	over     bool               // the connection was made; it may be made anew
}

func (r *run) watch(ctx context.Context, p mailhost.Protocol, steps map[mailhost.Stage]string) *chain {
	return &chain{run: r, ctx: ctx, protocol: p, target: r.req.target(p), steps: steps}
}

// observe is told by the connection.
func (c *chain) observe(p mailhost.Progress) {
	if c.over {
		return
	}
	id := c.steps[p.Stage]
	if p.Stage == mailhost.StageGreeting && !c.target.ImplicitTLS(c.protocol) {
		// With STARTTLS the greeting comes first; the step after it is told of it.
		id = c.steps[mailhost.StageTLS]
		if p.Ended {
			c.greeting = &p
			if c.shared() {
				c.learn(p)
			}
			return
		}
	}
	c.stage = p.Stage
	c.enter(id)
	switch {
	case p.Certificate != nil:
		c.certificate(p.Certificate)
	case p.Ended:
		c.learn(p)
	}
}

// enter begins a step, and with it ends the one before.
func (c *chain) enter(id string) {
	if c.current != nil && c.current.ID == id {
		return
	}
	c.leave()
	if id != c.steps[mailhost.StageTLS] {
		c.tellGreeting()
	}
	c.current = c.run.start(id, c.tried(id))
}

// shared reports whether greeting and TLS are one step.
func (c *chain) shared() bool { return c.steps[mailhost.StageGreeting] == c.steps[mailhost.StageTLS] }

// tellGreeting tells of a greeting that came before TLS, in the order of the plan.
func (c *chain) tellGreeting() {
	greeting := c.greeting
	if greeting == nil || c.shared() {
		return
	}
	c.greeting = nil
	c.current = c.run.start(c.steps[mailhost.StageGreeting], "Read the greeting.")
	c.learn(*greeting)
	c.leave()
}

func (c *chain) leave() {
	if c.current != nil {
		c.run.finish(c.current)
	}
	c.current = nil
}

// end ends the chain with what the connection came to. It reports whether it was made.
func (c *chain) end(err error) bool {
	c.over = true
	if err == nil {
		c.leave()
		return true
	}
	if c.current == nil {
		c.current = c.run.start(c.steps[mailhost.StageConnect], c.tried(c.steps[mailhost.StageConnect]))
	}
	if c.stage == mailhost.StageGreeting && mailhost.KindOf(err) != mailhost.KindTLS && c.current.ID != c.steps[mailhost.StageGreeting] {
		// What greets is no such server, or does not want us: TLS was not tried.
		c.run.skip(c.current.ID, "There was no greeting to go on from.")
		c.current = c.run.start(c.steps[mailhost.StageGreeting], "Read the greeting.")
	}
	c.run.failOf(c.ctx, c.current, c.protocol, c.stage, err)
	c.leave()
	c.tellGreeting()
	return false
}

func (c *chain) tried(id string) string {
	t := c.target
	switch id {
	case c.steps[mailhost.StageConnect]:
		return fmt.Sprintf("Connect to %s, port %d.", t.Hostname(), t.Port)
	case c.steps[mailhost.StageTLS]:
		if t.ImplicitTLS(c.protocol) {
			return "TLS from the first byte, version 1.2 at least."
		}
		return "Read the greeting and ask for STARTTLS, TLS 1.2 at least."
	case c.steps[mailhost.StageGreeting]:
		return "Read the greeting."
	case c.steps[mailhost.StageSignIn]:
		return "Sign in as " + t.Username + "."
	case c.steps[mailhost.StageCapabilities]:
		return "Ask what the server can do."
	}
	return "Ask where the mailbox's own folders are."
}

// learn takes what a stage that ended well told.
func (c *chain) learn(p mailhost.Progress) {
	s := c.current
	if p.Stage == mailhost.StageGreeting && c.shared() {
		s.fact("Greeting", p.Answer)
		return
	}
	if p.Answer != "" {
		s.Answer = p.Answer
	}
	switch p.Stage {
	case mailhost.StageConnect:
		s.Answer = "Connected."
		if p.Remote != nil && (c.run.req.Detailed || c.run.public[c.protocol]) {
			s.fact("Address", p.Remote.String())
		}
	case mailhost.StageTLS:
		c.secured(p)
	case mailhost.StageCapabilities:
		if c.protocol == mailhost.IMAP {
			c.run.capabilities(s, p.Capabilities, false)
		}
	case mailhost.StageSignIn:
		if c.protocol == mailhost.IMAP {
			// Many servers tell all that they can do only now.
			c.leave()
			c.current = c.run.start(StepAbilities, "Ask what the server can do for who is signed in.")
			c.run.capabilities(c.current, p.Capabilities, true)
		}
	case mailhost.StageNamespace:
		s.fact("Prefix", quoted(p.Prefix))
		s.fact("Separator", quoted(p.Delimiter))
		if s.Answer == "" {
			s.Answer = "The server does not tell; folders are taken to be at the top."
		}
	}
}

func quoted(s string) string {
	if s == "" {
		return "none"
	}
	return fmt.Sprintf("%q", s)
}

// fail makes a step a failure.
func (r *run) fail(ctx context.Context, s *Step, p mailhost.Protocol, err error) {
	r.failOf(ctx, s, p, "", err)
}

// failOf tells of a step that failed at a stage what a person can use.
func (r *run) failOf(ctx context.Context, s *Step, p mailhost.Protocol, stage mailhost.Stage, err error) {
	s.Outcome = Failed
	if ctx.Err() != nil {
		s.Answer, s.Remedy = r.over(ctx), ""
		if errors.Is(context.Cause(ctx), errLimit) {
			s.Remedy = "The server is slow, or does not answer at all. Try again."
		}
		return
	}
	s.Answer, s.Remedy = r.words(p, stage, err, r.req.Detailed), r.advice(p, stage, err, r.req.Detailed)
	s.Coarse = r.coarse(s, p, stage, err)
}
