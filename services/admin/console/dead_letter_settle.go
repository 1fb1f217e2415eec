package console

import (
	"errors"
	"net/http"
	"slices"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// settledAtOnce is how many dead letters are replayed or dropped at once.
const settledAtOnce = 500

// A settlement says what is done with which dead letters.
type settlement struct {
	do    string // "replay" or "drop"
	ids   []string
	names []string // of the first of them
	all   bool     // that the list selects
	more  bool     // it selects even more
}

// chosenLetters reads the dead letters that are chosen, and checks that the
// actor may settle them.
func (r *request) chosenLetters(do string) (settlement, error) {
	if err := r.actor.MayWrite(r.tenant.Document.ID); err != nil {
		return settlement{}, err
	}
	list := slices.Clone(r.Form["id"])
	slices.Sort(list)
	list = slices.Compact(list)
	switch {
	case r.FormValue("all") != "" && r.Method == http.MethodGet:
		return settlement{do: do, all: true}, nil
	case len(list) == 0:
		return settlement{}, operation.Invalid(config.Problem{Path: "id", Message: "choose a dead letter first"})
	case len(list) > settledAtOnce:
		return settlement{}, operation.Invalid(config.Problem{Path: "id", Message: "at most " + countText(settledAtOnce) + " can be chosen at once"})
	}
	return settlement{do: do, ids: list}, nil
}

func (c *console) confirmReplaying(r *request) error { return r.confirmLetters("replay") }

func (c *console) confirmDropping(r *request) error { return r.confirmLetters("drop") }

func (r *request) confirmLetters(do string) error {
	s, err := r.chosenLetters(do)
	if err != nil {
		return err
	}
	if err := r.nameLetters(&s); err != nil {
		return err
	}
	if len(s.ids) == 0 {
		return &operation.Problem{Title: "Nothing chosen", Status: http.StatusConflict, Detail: "No dead letter matches any more. Look at the list again."}
	}
	return r.part("confirm", r.letterDialog(s))
}

// letterDialog names what will happen to dead letters.
func (r *request) letterDialog(s settlement) confirm {
	one := len(s.ids) == 1
	what := plural(len(s.ids), "dead letter", "dead letters")
	if one {
		what = "this dead letter"
	}
	d := confirm{Open: true, Title: "Replay " + what + "?", Post: r.path("settle", s.do), Submit: "Replay", Effect: []string{
		"The message goes back to the stage that gave it up, which tries it again at once.",
		"It leaves this list. What fails again comes back as a new dead letter.",
		"Nothing is stored twice: what was done before is recognised.",
	}}
	if s.do == "drop" {
		d = confirm{Open: true, Title: "Drop " + what + "?", Post: r.path("settle", s.do), Submit: "Drop", Danger: true, Effect: []string{
			"The dead letter is deleted: what it is about cannot be replayed any more.",
			"The mail stays in the inbox on the mail server and is left alone: it is not fetched again.",
			"The audit records who dropped it.",
		}}
	}
	if !one {
		d.Text = namesOf(s.names, len(s.ids)) + ". For each of them:"
		d.Submit += " " + what
	}
	if s.more {
		d.Effect = append(d.Effect, "More match than can be chosen at once. These are the newest; repeat it for the others.")
	}
	if d.Typed = s.many(); d.Typed != "" {
		d.What = "how many they are"
	}
	d.Hidden = r.letterHidden(s)
	return d
}

func (c *console) replayLetters(r *request) error {
	return r.settleLetters("replay", "on the way again", func(in operation.InDeadLetter) error {
		_, err := r.desk.ReplayDeadLetter(r.Context(), r.actor, &operation.ReplayDeadLetter{InDeadLetter: in})
		return err
	})
}

func (c *console) dropLetters(r *request) error {
	return r.settleLetters("drop", "dropped", func(in operation.InDeadLetter) error {
		_, err := r.desk.DropDeadLetter(r.Context(), r.actor, &operation.DropDeadLetter{InDeadLetter: in})
		return err
	})
}

// settleLetters settles what is chosen. What somebody else settled meanwhile is
// no failure; a failure ends it, and says how far it came.
func (r *request) settleLetters(do, done string, settle func(operation.InDeadLetter) error) error {
	chosen, err := r.chosenLetters(do)
	if err != nil {
		return err
	}
	if typed := chosen.many(); typed != "" {
		if err := r.typed(typed); err != nil {
			return err
		}
	}
	list, settled, gone := chosen.ids, 0, 0
	for _, id := range list {
		err := settle(operation.InDeadLetter{InTenant: r.inTenant(), ID: id})
		var p *operation.Problem
		switch {
		case err == nil:
			settled++
		case errors.As(err, &p) && p.Status == http.StatusNotFound:
			gone++
		case settled > 0:
			r.tell(toneBad, "%d of %d are %s, then it stopped: %s", settled, len(list), done, problemOf(err).Error())
			r.console.log.Error("settling dead letters", zap.String("tenant", r.tenant.Document.ID), zap.Error(err))
			return r.redirect(r.shownLetters())
		default:
			return err
		}
	}
	if len(list) == 1 && gone == 1 {
		return &operation.Problem{Title: "Not found", Status: http.StatusNotFound, Detail: "this dead letter does not exist"}
	}
	if settled == 1 && len(list) == 1 {
		r.tell(toneOK, "The dead letter is %s.", done)
	} else if settled > 0 {
		r.tell(toneOK, "%s %s.", plural(settled, "dead letter is", "dead letters are"), done)
	}
	if gone > 0 {
		r.tell(toneWarn, "%s gone already.", plural(gone, "dead letter was", "dead letters were"))
	}
	return r.redirect(r.shownLetters())
}
