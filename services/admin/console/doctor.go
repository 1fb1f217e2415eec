package console

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// doctorView is the page on which a saved mailbox is tested.
type doctorView struct {
	Header header
	Post   string
	Plan   []string
	Limit  string
	SMTP   bool
}

// doctorEnd is what a test came to; before its end it says that it runs.
type doctorEnd struct {
	Tone    tone
	Title   string
	Text    string
	Fields  []lack // where to mend
	Actions []action
	Running bool
}

// A doctorStep is a step with what a screen reader says of it.
type doctorStep struct {
	Step step
	Say  string
}

// doctorLimit is how long an examination takes at most.
func (r *request) doctorLimit() string {
	return fmt.Sprintf("%d seconds", int(cmp.Or(r.desk.Doctor.Limit, 90*time.Second).Seconds()))
}

// doctorPage offers to test a saved mailbox.
func (c *console) doctorPage(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	v := doctorView{
		Header: header{
			Title: "Test: " + m.Document.Name, Back: &link{m.Document.Name, r.path("mailboxes", m.Document.ID)},
			Text: "Tries every step of the way to the mail server with the saved settings, and says what to do about what does not work.",
		},
		Post: r.path("mailboxes", m.Document.ID, "doctor"), Limit: r.doctorLimit(), SMTP: m.Document.SMTP.Host != "",
	}
	for _, s := range doctor.Plan() {
		v.Plan = append(v.Plan, s.Title)
	}
	return r.page("doctor", page{Title: v.Header.Title, Section: sectionRouting}, v)
}

// runDoctor tests a saved mailbox, step by step.
func (c *console) runDoctor(r *request) error {
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	in := operation.TestMailbox{InMailbox: r.inMailbox(m.Document.ID)}
	return r.examine(m.Document.ID, func(report func(doctor.Step)) (doctor.Report, error) {
		return r.desk.FollowTest(r.Context(), r.actor, &in, report)
	})
}

// draftDoctor tests the values in a form, saved or not.
func (c *console) draftDoctor(r *request) error {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return err
	}
	_, in, problems, err := r.draft()
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return r.stream().send("doctor-end", mend(problems))
	}
	run := operation.RunDoctor(in)
	return r.examine("", func(report func(doctor.Step)) (doctor.Report, error) {
		return r.desk.FollowDoctor(r.Context(), r.actor, &run, report)
	})
}

// examine sends the steps of a doctor as they begin and end. saved is the id of
// the mailbox, "" for values in a form.
func (r *request) examine(saved string, run func(func(doctor.Step)) (doctor.Report, error)) error {
	s := r.stream()
	if err := s.send("doctor-end", doctorEnd{Tone: toneBusy, Title: "Testing.", Text: "It takes " + r.doctorLimit() + " at most, and can be cancelled at any time.", Running: true}); err != nil {
		return nil // the browser is gone
	}
	// All steps, in their order: both servers are tried at the same time.
	for _, st := range doctor.Plan() {
		waiting := doctorStep{Step: step{ID: elementID("step", st.ID), Tone: toneOff, Title: st.Title}}
		if err := s.send("doctor-step", waiting); err != nil {
			return nil // the browser is gone
		}
	}
	report, err := run(func(st doctor.Step) {
		_ = s.send("doctor-step", stepOf(st)) // the context ends when the browser is gone
	})
	if err != nil {
		if p := problemOf(err); p.Status == 422 && len(p.Errors) > 0 {
			return s.send("doctor-end", mend(p.Errors))
		}
		return s.fail(err)
	}
	return s.send("doctor-end", r.conclude(report, saved))
}

// mend says what has to be mended before a test.
func mend(problems config.Problems) doctorEnd {
	end := doctorEnd{Tone: toneWarn, Title: "Nothing was tried yet.", Text: "Mend these fields first."}
	for _, p := range problems {
		end.Fields = append(end.Fields, lack{Field: field{Name: p.Path}.ID(), Label: labelOf(p.Path), Text: p.Message})
	}
	return end
}

// stepOf shows a step of the doctor.
func stepOf(st doctor.Step) doctorStep {
	t, state := toneOf(st.Outcome)
	out := step{ID: elementID("step", st.ID), Tone: t, Title: st.Title, State: state, Took: st.Took, Tried: st.Tried, Answer: st.Answer, Remedy: labelled(st.Remedy)}
	if st.Outcome == doctor.Skipped {
		out.Tried, out.Answer = labelled(st.Answer), "" // no server said it
	}
	for _, f := range st.Facts {
		out.Facts = append(out.Facts, fact{Name: f.Name, Text: f.Value})
	}
	say := ""
	if st.Outcome != doctor.Running {
		say = st.Title + ": " + state + ". " + out.Remedy
	}
	return doctorStep{Step: out, Say: say}
}

// labelled names settings as the form does, where a text names them by path.
func labelled(text string) string {
	for _, path := range settingPaths() {
		if strings.ContainsAny(path, "._") {
			text = strings.ReplaceAll(text, path, labelOf(path))
		}
	}
	return text
}

func toneOf(o doctor.Outcome) (tone, string) {
	switch o {
	case doctor.OK:
		return toneOK, "works"
	case doctor.Warning:
		return toneWarn, "works, see below"
	case doctor.Failed:
		return toneBad, "failed"
	case doctor.Skipped:
		return toneOff, "skipped"
	}
	return toneBusy, "running"
}

// conclude says what a test came to, and what can be done next.
func (r *request) conclude(report doctor.Report, saved string) doctorEnd {
	counts := map[doctor.Outcome]int{}
	var failed *doctor.Step
	for i, s := range report.Steps {
		counts[s.Outcome]++
		if s.Outcome == doctor.Failed && failed == nil {
			failed = &report.Steps[i]
		}
	}
	took := " It took " + durationText(report.Took) + "."
	end := doctorEnd{Tone: toneOK, Title: "Everything works.", Text: fmt.Sprintf("%s tried.", plural(counts[doctor.OK], "step was", "steps were")) + took}
	switch {
	case failed != nil:
		end.Tone, end.Title, end.Text = toneBad, "It does not work yet.", sentence("The step that failed: "+failed.Title)+" Mend it and test again."+took
		end.Fields = fieldsOf(failed.ID)
	case counts[doctor.Warning] > 0:
		end.Tone, end.Title, end.Text = toneWarn, "It works.", plural(counts[doctor.Warning], "step has a note", "steps have notes")+" below."+took
	}
	if counts[doctor.Skipped] > 0 && failed == nil {
		end.Text = strings.TrimSpace(end.Text + " " + plural(counts[doctor.Skipped], "step was", "steps were") + " skipped.")
	}
	if saved != "" {
		edit := action{Label: "Edit", Icon: "edit", Path: r.path("mailboxes", saved, "edit"), Primary: failed != nil}
		dry := action{Label: "Dry run", Icon: "flask", Path: r.path("mailboxes", saved, "dry-run"), Primary: failed == nil}
		end.Actions = []action{dry, edit}
		if failed != nil {
			end.Actions, end.Fields = []action{edit}, nil
		}
	}
	return end
}

// fieldsOf returns the fields in which what a step found is mended.
func fieldsOf(id string) []lack {
	paths := map[string][]string{
		doctor.StepResolve:     {"imap.host"},
		doctor.StepConnect:     {"imap.host", "imap.port"},
		doctor.StepTLS:         {"imap.security", "imap.port", "imap.ca"},
		doctor.StepGreeting:    {"imap.port", "imap.security"},
		doctor.StepSignIn:      {"username", "password"},
		doctor.StepInbox:       {"inbox"},
		doctor.StepFolders:     {"persisted_folder", "invalid_folder", "deleted_folder"},
		doctor.StepSMTPResolve: {"smtp.host"},
		doctor.StepSMTPConnect: {"smtp.host", "smtp.port"},
		doctor.StepSMTPTLS:     {"smtp.security", "smtp.port", "smtp.ca"},
		doctor.StepSMTPSignIn:  {"username", "password"},
		doctor.StepAddresses:   {"folders"},
	}[id]
	var list []lack
	for _, p := range paths {
		list = append(list, lack{Field: field{Name: p}.ID(), Label: labelOf(p)})
	}
	return list
}
