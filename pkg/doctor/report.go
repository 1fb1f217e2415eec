package doctor

import (
	"strings"
	"time"
)

// An Outcome is how a step, or all of them, went.
type Outcome string

// The outcomes, from the one that a step begins with to the worst.
const (
	Running Outcome = "running"
	Skipped Outcome = "skipped" // not tried; Answer says why
	OK      Outcome = "ok"
	Warning Outcome = "warning" // works, with something to know
	Failed  Outcome = "failed"
)

// IDs of the steps, in the order in which they are tried.
const (
	StepResolve      = "resolve"
	StepConnect      = "connect"
	StepTLS          = "tls"
	StepGreeting     = "greeting"
	StepCapabilities = "capabilities"
	StepSignIn       = "sign-in"
	StepAbilities    = "capabilities-signed-in"
	StepNamespace    = "namespace"
	StepInbox        = "inbox"
	StepRights       = "rights"
	StepFolders      = "folders"
	StepIdle         = "idle"
	StepSMTPResolve  = "smtp-resolve"
	StepSMTPConnect  = "smtp-connect"
	StepSMTPTLS      = "smtp-tls"
	StepSMTPSignIn   = "smtp-sign-in"
	StepSend         = "send"
	StepAddresses    = "addresses"
)

// Plan returns all steps in their order, with ID and Title only.
func Plan() []Step {
	return []Step{
		{ID: StepResolve, Title: "Find the IMAP server"},
		{ID: StepConnect, Title: "Connect to the IMAP server"},
		{ID: StepTLS, Title: "Secure the connection"},
		{ID: StepGreeting, Title: "Greeting"},
		{ID: StepCapabilities, Title: "Capabilities before sign-in"},
		{ID: StepSignIn, Title: "Sign in"},
		{ID: StepAbilities, Title: "Capabilities after sign-in"},
		{ID: StepNamespace, Title: "Namespace"},
		{ID: StepInbox, Title: "Open the watched folder"},
		{ID: StepRights, Title: "Create, move and delete"},
		{ID: StepFolders, Title: "Target folders"},
		{ID: StepIdle, Title: "Watch for new mail"},
		{ID: StepSMTPResolve, Title: "Find the SMTP server"},
		{ID: StepSMTPConnect, Title: "Connect to the SMTP server"},
		{ID: StepSMTPTLS, Title: "Secure the SMTP connection"},
		{ID: StepSMTPSignIn, Title: "Sign in to SMTP"},
		{ID: StepSend, Title: "Send a mail to itself"},
		{ID: StepAddresses, Title: "Addresses of the folders"},
	}
}

// A Step is one thing that was tried.
type Step struct {
	ID      string        `json:"id"`
	Title   string        `json:"title"`
	Outcome Outcome       `json:"outcome"`
	Tried   string        `json:"tried,omitempty"`  // what was done
	Answer  string        `json:"answer,omitempty"` // what the server said, or what came of it; no secrets
	Remedy  string        `json:"remedy,omitempty"` // what to do
	Facts   []Fact        `json:"facts,omitempty"`
	Began   time.Time     `json:"began,omitzero"`
	Took    time.Duration `json:"took"` // nanoseconds

	// Coarse is Title, Answer and Remedy as people of the tenant may read them, also
	// when the Request was Detailed; empty: as they are.
	Coarse string `json:"-"`
}

// ForTenant is what may be told of the step to everybody in the tenant, in one
// text, whoever asked for it.
func (s Step) ForTenant() string {
	if s.Coarse != "" {
		return s.Coarse
	}
	return joined(s.Title+": "+s.Answer, s.Remedy)
}

// joined makes one text of two. What a server said may end with a full stop or not.
func joined(answer, remedy string) string {
	if remedy == "" {
		return answer
	}
	if !strings.HasSuffix(answer, ".") && !strings.HasSuffix(answer, "…") {
		answer += "."
	}
	return answer + " " + remedy
}

// A Fact is something that a step found out.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (s *Step) fact(name, value string) {
	if value != "" {
		s.Facts = append(s.Facts, Fact{name, value})
	}
}

// warn makes the step a warning, unless it is worse already, with what to do
// about it.
func (s *Step) warn(remedy string) {
	if s.Outcome != Failed {
		s.Outcome = Warning
	}
	if s.Remedy != "" {
		s.Remedy += " "
	}
	s.Remedy += remedy
}

// A Report is what came of all steps.
type Report struct {
	Steps   []Step        `json:"steps"`   // all of Plan, in its order
	Outcome Outcome       `json:"outcome"` // the worst of the steps; a warning is not a failure
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"took"` // nanoseconds
}

func worst(steps []Step) Outcome {
	outcome := OK
	for _, s := range steps {
		switch {
		case s.Outcome == Failed:
			return Failed
		case s.Outcome == Warning:
			outcome = Warning
		}
	}
	return outcome
}

// A StepError is the failure of a step that Folders or DryRun needed.
type StepError struct{ Step Step }

func (e *StepError) Error() string { return joined(e.Step.Title+": "+e.Step.Answer, e.Step.Remedy) }
