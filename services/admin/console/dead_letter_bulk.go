package console

import (
	"strconv"
	"strings"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// letterKeys are the parameters of the list of dead letters that say which are
// meant.
var letterKeys = [...]string{"mailbox", "stage"}

// letterFilter reads what the list is filtered by.
func (r *request) letterFilter() operation.ListDeadLetters {
	return operation.ListDeadLetters{InTenant: r.inTenant(), Mailbox: strings.TrimSpace(r.FormValue("mailbox")), Stage: schemas.Stage(r.FormValue("stage"))}
}

// nameLetters says of the first of what is chosen what they are about, and for
// all=1 chooses the newest dead letters that the filter of the list selects, over
// all its pages. What is confirmed is what was found now: those that come later
// are not in it.
func (r *request) nameLetters(s *settlement) error {
	names, err := r.namesIn(r.tenant.Document.ID)
	if err != nil {
		return err
	}
	about := func(l letterRow) string { return l.Name + " of " + l.Box.Text() }
	if !s.all {
		for _, id := range s.ids[:min(len(s.ids), namedRows)] {
			l, err := r.letter(id)
			if err != nil {
				s.names = append(s.names, "one that is gone")
				continue
			}
			s.names = append(s.names, about(r.letterRow(l, names)))
		}
		return nil
	}
	in := r.letterFilter()
	for len(s.ids) < settledAtOnce {
		in.Limit = min(100, settledAtOnce-len(s.ids))
		list, err := r.desk.ListDeadLetters(r.Context(), r.actor, &in)
		if err != nil {
			return err
		}
		for _, l := range list.Letters {
			row := r.letterRow(l, names)
			s.ids, s.names = append(s.ids, row.ID), append(s.names, about(row))
		}
		if s.more = list.Next != ""; !s.more {
			break
		}
		in.Before = list.Next
	}
	return nil
}

// letterHidden carries through a dialog which dead letters are meant, and what
// the list shows.
func (r *request) letterHidden(s settlement) []pair {
	var hidden []pair
	for _, id := range s.ids {
		hidden = append(hidden, pair{"id", id})
	}
	for _, k := range letterKeys {
		if v := r.FormValue(k); v != "" {
			hidden = append(hidden, pair{k, v})
		}
	}
	return hidden
}

// shownLetters is the path of the list as it was filtered.
func (r *request) shownLetters() string {
	return withQuery(r.path("dead-letters"), nil, "mailbox", r.FormValue("mailbox"), "stage", r.FormValue("stage"))
}

// many reports whether more than one is settled: then to drop them takes their
// number to be typed.
func (s settlement) many() string {
	if s.do != "drop" || len(s.ids) < 2 {
		return ""
	}
	return strconv.Itoa(len(s.ids))
}
