package console

import (
	"slices"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *console) systemRoutes() []route {
	return []route{
		{pattern: "GET /system", access: landlord, handle: c.system},
		{pattern: "GET /system/now", access: landlord, handle: c.systemNow},
	}
}

// systemView is how the installation is. Its middle refreshes itself.
type systemView struct {
	Header   header
	Away     *notice
	Services []serviceGroup
	Lanes    []laneView
	Backlogs []backlogView
	Facts    []fact
}

// A serviceGroup is the replicas of a service.
type serviceGroup struct {
	Name     string
	State    badge
	Replicas []replicaView
}

type replicaView struct {
	bus.ServiceInfo
	Other bool // its version is not the console's
}

// A laneView says how long mail waits.
type laneView struct {
	Name   string
	Waits  badge
	Oldest *time.Time
}

type backlogView struct {
	bus.Backlog
	Label string
	What  string
}

func (c *console) system(r *request) error {
	v, err := c.systemOf(r)
	if err != nil {
		return err
	}
	v.Header = header{Title: "System", Text: "Which services run, and what waits between them."}
	return r.page("system", page{Title: "System", Section: sectionSystem}, v)
}

func (c *console) systemNow(r *request) error {
	v, err := c.systemOf(r)
	if err != nil {
		return err
	}
	return r.part("system-now", v)
}

func (c *console) systemOf(r *request) (systemView, error) {
	s, err := r.desk.GetSystem(r.Context(), r.actor, &operation.GetSystem{})
	if err != nil {
		return systemView{}, err
	}
	v := systemView{Services: c.serviceGroups(s.Services), Facts: []fact{
		{Name: "Version", Text: s.Version}, {Name: "Messaging databases", Text: strings.Join(s.Databases, ", ")},
		{Name: "Dead letters", Text: countText(int64(s.Dead))}, {Name: "As of", Time: s.At},
	}}
	if len(s.Away) > 0 {
		v.Away = &notice{Tone: toneWarn, Title: "Not everything could be asked.", Text: "Missing: " + strings.Join(s.Away, "; ") + ". The page asks again by itself."}
	}
	if !slices.Contains(s.Away, "what waits in the streams") {
		for _, lane := range schemas.Lanes {
			v.Lanes = append(v.Lanes, laneOf(lane, bus.OldestWaiting(s.Backlogs, lane), s.At))
		}
	}
	for _, b := range s.Backlogs {
		label, what := streamText(b.Stream)
		v.Backlogs = append(v.Backlogs, backlogView{b, label, what})
	}
	return v, nil
}

// serviceNames are those that an installation needs.
func serviceNames() []string {
	return []string{string(schemas.StageFetcher), string(schemas.StageClassifier), string(schemas.StagePersister), string(schemas.StageDisposer), schemas.ServiceAdmin}
}

// serviceGroups sorts processes by service; one that lacks is shown as such.
func (c *console) serviceGroups(list []bus.ServiceInfo) []serviceGroup {
	var groups []serviceGroup
	names := serviceNames()
	for _, s := range list {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	for _, name := range names {
		g := serviceGroup{Name: name}
		for _, s := range list {
			if s.Name == name {
				g.Replicas = append(g.Replicas, replicaView{s, s.Version != c.Version})
			}
		}
		slices.SortFunc(g.Replicas, func(a, b replicaView) int { return strings.Compare(a.Replica, b.Replica) })
		g.State = badge{Tone: toneOK, Text: plural(len(g.Replicas), "replica", "replicas")}
		if len(g.Replicas) == 0 {
			g.State = badge{Tone: toneBad, Text: "Not running", Title: "No process of it announced itself"}
		}
		groups = append(groups, g)
	}
	return groups
}

// Waiting that is worth a look: the light lane is for mail that should be there
// within seconds.
const (
	lateWaiting = 30 * time.Second
	badWaiting  = 5 * time.Minute
)

func laneOf(lane schemas.Lane, oldest *time.Time, now time.Time) laneView {
	v := laneView{Name: string(lane), Oldest: oldest, Waits: badge{Tone: toneOK, Text: "Nothing waits"}}
	if oldest == nil {
		return v
	}
	waits := now.Sub(*oldest)
	v.Waits = badge{Tone: toneOK, Text: durationText(waits)}
	switch {
	case waits >= badWaiting:
		v.Waits.Tone = toneBad
	case waits >= lateWaiting:
		v.Waits.Tone = toneWarn
	}
	return v
}

// streamText says what waits in a stream.
func streamText(stream string) (label, what string) {
	switch stream {
	case schemas.StreamFetchedLight, schemas.StreamFetchedLarge:
		return "Fetched", "mail that waits for its folders"
	case schemas.StreamClassifiedLight, schemas.StreamClassifiedLarge:
		return "Classified", "mail that waits for the messaging database"
	case schemas.StreamDispose:
		return "To dispose", "mail that waits to be moved or deleted on its server"
	case schemas.StreamRetry:
		return "Retries", "what is tried again later"
	case schemas.StreamDead:
		return "Dead letters", "what somebody has to look at"
	}
	return stream, ""
}
