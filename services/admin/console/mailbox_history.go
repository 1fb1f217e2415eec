package console

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/services/admin/operation"
)

const (
	// historyAge is how far back the states of a mailbox are known.
	historyAge = 72 * time.Hour
	// historyShown is how many of them are shown at once.
	historyShown = 8
	// stripWidth is the width of the strip of states, in its own units.
	stripWidth = 1000.0
)

// historyView is the part of the overview that looks back. It refreshes itself.
type historyView struct {
	Path    string
	Strip   []stripPart
	Summary string
	Days    []plotTick // below the strip
	Newest  []moment
	Older   []moment
	Away    *notice
	Spans   []tab // how far back the plots go
	Plots   []plot
}

// A stripPart is the time that a mailbox was in a state.
type stripPart struct {
	X, Width string
	Tone     tone
	Title    string
}

func (c *console) mailboxOverview(r *request) error {
	return r.showMailbox("", "mailbox-overview", func(m operation.Mailbox, _ operation.MailboxRow) (any, error) {
		return r.historyView(m.Document.ID)
	})
}

func (c *console) mailboxHistory(r *request) error {
	m, err := r.mailbox(r.PathValue("mailbox"))
	if err != nil {
		return err
	}
	v, err := r.historyView(m.Document.ID)
	if err != nil {
		return err
	}
	return r.part("mailbox-history", v)
}

// historyView reads the states and the figures of a mailbox. What is away leaves
// its part empty.
func (r *request) historyView(id string) (historyView, error) {
	hours := 24
	if n, err := strconv.Atoi(r.FormValue("hours")); err == nil && (n == 72 || n == 168) {
		hours = n
	}
	path := r.path("mailboxes", id)
	v := historyView{Path: withQuery(r.path("mailboxes", id, "history"), nil, "hours", strconv.Itoa(hours))}
	for _, span := range []struct {
		hours int
		label string
	}{{24, "24 hours"}, {72, "3 days"}, {168, "7 days"}} {
		v.Spans = append(v.Spans, tab{Label: span.label, Path: withQuery(path, nil, "hours", strconv.Itoa(span.hours)), Current: span.hours == hours})
	}
	states, err := r.desk.ListHistory(r.Context(), r.actor, &operation.ListHistory{InMailbox: r.inMailbox(id), Limit: 200})
	if err != nil {
		v.Away = r.awayNotice(err, "The states of the last 72 hours cannot be read now.")
	}
	v.states(states.States, time.Now())
	figures, err := r.desk.GetThroughput(r.Context(), r.actor, &operation.GetThroughput{InTenant: r.inTenant(), Mailbox: id, Hours: hours})
	if err != nil {
		v.Away = r.awayNotice(err, "The figures of its mail cannot be read now.")
	}
	v.Plots = throughputPlots(figures)
	return v, nil
}

// awayNotice says that a part of a page cannot be shown; the log says why.
func (r *request) awayNotice(err error, text string) *notice {
	r.console.log.Warn("reading for a page", zap.String("path", r.URL.Path), zap.Error(err))
	return &notice{Tone: toneWarn, Title: text, Text: "It comes back by itself."}
}

// states fills the strip and the list, from states that have the newest first.
func (v *historyView) states(list []operation.MailboxState, now time.Time) {
	begin := now.Add(-historyAge)
	end := now
	x := func(t time.Time) float64 {
		return stripWidth * max(float64(t.Sub(begin))/float64(historyAge), 0)
	}
	var good, known time.Duration
	for i, s := range list {
		b := statusBadge(s.Status)
		v.moment(i, moment{At: s.Since, Tone: b.Tone, Title: b.Text, Text: s.Detail})
		if !s.Since.Before(end) || !end.After(begin) {
			continue
		}
		from := s.Since
		if from.Before(begin) {
			from = begin
		}
		v.Strip = append(v.Strip, stripPart{X: coordinate(x(from)), Width: coordinate(max(x(end)-x(from), 2)), Tone: b.Tone, Title: fmt.Sprintf("%s from %s to %s", b.Text, absolute(from), absolute(end))})
		if b.Tone == toneOK || b.Tone == toneBusy {
			good += end.Sub(from)
		}
		known += end.Sub(from)
		end = from
	}
	slices.Reverse(v.Strip)
	v.Summary = "No state is known of the last 72 hours."
	if len(v.Strip) > 0 {
		v.Summary = fmt.Sprintf("It was well for %.0f %% of the last %s. There were %s of state.", 100*float64(good)/float64(max(known, 1)), durationText(known), plural(len(list), "change", "changes"))
	}
	for h := 72; h > 0; h -= 24 {
		v.Days = append(v.Days, plotTick{coordinate(x(now.Add(-time.Duration(h) * time.Hour))), fmt.Sprintf("%d h ago", h)})
	}
}

func (v *historyView) moment(i int, m moment) {
	if i < historyShown {
		v.Newest = append(v.Newest, m)
	} else {
		v.Older = append(v.Older, m)
	}
}

// throughputPlots draw how much mail came, and how fast.
func throughputPlots(t operation.Throughput) []plot {
	mails := plot{Title: "Mail stored", Unit: "mails", Bars: true, Series: []series{{Name: "Light lane"}, {Name: "Large lane"}, {Name: "Invalid"}}}
	speed := plot{Title: "From download to stored", Unit: "", Series: []series{{Name: "Median"}, {Name: "95th percentile"}}, Format: func(ms float64) string {
		if ms <= 0 {
			return "0"
		}
		return durationText(time.Duration(ms * float64(time.Millisecond)))
	}}
	step, err := time.ParseDuration(t.Step)
	if err != nil || step <= 0 {
		return []plot{mails, speed}
	}
	known := map[int64]int{}
	for i, p := range t.Points {
		known[p.At.Unix()] = i
	}
	latency := func(d time.Duration) float64 {
		if d <= 0 {
			return math.NaN()
		}
		return float64(d) / float64(time.Millisecond)
	}
	for at := t.Since; at.Before(t.Until); at = at.Add(step) {
		values, speeds := [3]float64{}, [2]float64{math.NaN(), math.NaN()}
		if i, ok := known[at.Unix()]; ok {
			p := t.Points[i]
			values = [3]float64{float64(p.Light), float64(p.Large), float64(p.Invalid)}
			speeds = [2]float64{latency(p.LatencyP50), latency(p.LatencyP95)}
		}
		mails.Times, speed.Times = append(mails.Times, at), append(speed.Times, at)
		for i := range mails.Series {
			mails.Series[i].Values = append(mails.Series[i].Values, values[i])
		}
		for i := range speed.Series {
			speed.Series[i].Values = append(speed.Series[i].Values, speeds[i])
		}
	}
	return []plot{mails, speed}
}
