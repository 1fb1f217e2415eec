package bus

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

// ServiceInfo is a process that announced itself.
type ServiceInfo struct {
	Name    string    `json:"name"` // of the service: fetcher, classifier, …
	Version string    `json:"version"`
	Replica string    `json:"replica"` // the name that it has in leases and states
	Started time.Time `json:"started"` // when it announced itself
}

// Keys of the metadata that tell our processes from what others announce.
const (
	metaVersion = "mailyard-version"
	metaReplica = "mailyard-replica"
)

// servicesWait is how long Services waits for answers: nobody knows how many
// there are.
const servicesWait = 400 * time.Millisecond

// announceWait is how long the server may take to hear of an announcement.
const announceWait = 10 * time.Second

// Announce makes the process known to Services, as a NATS micro service (ADR-32)
// without endpoints, until stop is called or the connection is closed. The name
// has letters, digits, "-" and "_"; the version may be any text.
func (c *Conn) Announce(ctx context.Context, name, version, replica string) (stop func(), err error) {
	service, err := micro.AddService(c.nc, micro.Config{
		Name: name, Version: semver(version), Description: "mailyard " + name,
		Metadata: map[string]string{metaVersion: version, metaReplica: replica},
	})
	if err != nil {
		return nil, fmt.Errorf("announcing %s: %w", name, err)
	}
	ctx, cancel := context.WithTimeout(ctx, announceWait) // a flush wants a deadline
	defer cancel()
	if err := c.nc.FlushWithContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("announcing %s: %w", name, classify(err)), service.Stop())
	}
	return func() {
		// It fails only when the connection is closed, which stops it as well.
		_ = service.Stop()
	}, nil
}

// Services returns the processes that answer within half a second, by name and
// replica.
func (c *Conn) Services(ctx context.Context) ([]ServiceInfo, error) {
	subject, err := micro.ControlSubject(micro.StatsVerb, "", "")
	if err != nil {
		return nil, fmt.Errorf("asking for services: %w", err)
	}
	inbox := c.nc.NewRespInbox()
	answers, err := c.nc.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("asking for services: %w", classify(err))
	}
	defer func() { _ = answers.Unsubscribe() }() // fails only when the connection is closed
	if err := c.nc.PublishRequest(subject, inbox, nil); err != nil {
		return nil, fmt.Errorf("asking for services: %w", classify(err))
	}
	wait, cancel := context.WithTimeout(ctx, servicesWait)
	defer cancel()
	found := []ServiceInfo{}
	for {
		msg, err := answers.NextMsgWithContext(wait)
		if wait.Err() != nil || errors.Is(err, nats.ErrNoResponders) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("asking for services: %w", classify(err))
		}
		var s micro.Stats
		if json.Unmarshal(msg.Data, &s) != nil {
			continue // not an answer to this
		}
		replica, ours := s.Metadata[metaReplica]
		if !ours {
			continue
		}
		found = append(found, ServiceInfo{Name: s.Name, Version: s.Metadata[metaVersion], Replica: replica, Started: s.Started})
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("asking for services: %w", err)
	}
	slices.SortFunc(found, func(a, b ServiceInfo) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Replica, b.Replica))
	})
	return found, nil
}

// semver returns the version as NATS wants it, X.Y.Z; what has not this form is
// 0.0.0, and only in the metadata.
func semver(version string) string {
	if v := semverForm.FindString(strings.TrimPrefix(version, "v")); v != "" {
		return v
	}
	return "0.0.0"
}

var semverForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})`)
