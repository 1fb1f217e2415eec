package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// status is what `mailyard status` shows.
type status struct {
	Running   bool          `json:"running"` // whether NATS and Redis were reached
	Problem   string        `json:"problem"`
	Mailboxes []mailboxLine `json:"mailboxes"`
	Streams   []bus.Backlog `json:"streams"`
	Dead      int           `json:"dead_letters"`
}

type mailboxLine struct {
	schemas.MailboxState
	Name   string                 `json:"name"`
	Counts mailstore.MailboxStats `json:"counts"`
}

func isEmbedded(url string) bool { return url == deployment.Embedded }

func (c *command) status() *cobra.Command {
	return &cobra.Command{
		Use:     "status",
		Short:   "Show what state the mailboxes and the lanes are in",
		Example: "  mailyard status\n  mailyard status --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.readStatus(cmd.Context())
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(s)
			}
			return c.showStatus(s)
		},
	}
}

func (c *command) readStatus(ctx context.Context) (s status, err error) {
	counts, err := c.counts(ctx)
	if err != nil {
		return s, err
	}
	lines, err := c.configured(ctx)
	if err != nil {
		return s, err
	}
	s.Mailboxes, s.Streams = []mailboxLine{}, []bus.Backlog{}
	states, err := c.states(ctx)
	s.Running = err == nil
	if err != nil {
		s.Problem = err.Error()
	}
	if s.Running {
		err := c.withBus(ctx, func(conn *bus.Conn) error {
			var err error
			if s.Streams, err = conn.Backlogs(ctx); err != nil {
				return err
			}
			letters, err := conn.DeadLetters(ctx, bus.DeadQuery{})
			s.Dead = len(letters)
			return err
		})
		if err != nil {
			s.Running, s.Problem = false, err.Error()
		}
	}
	for _, state := range states {
		name := state.Tenant + "/" + state.Mailbox
		l, ok := lines[name]
		if !ok || l.Status == schemas.StatusDraft || l.Status == schemas.StatusDisabled {
			continue // a state that its replica has not cleared yet
		}
		l.MailboxState = state
		lines[name] = l
	}
	for _, m := range counts {
		name := m.Tenant + "/" + m.Mailbox
		if l, ok := lines[name]; ok {
			l.Counts = m
			lines[name] = l
		}
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		s.Mailboxes = append(s.Mailboxes, lines[name])
	}
	return s, nil
}

// counts reads every messaging database.
func (c *command) counts(ctx context.Context) (all []mailstore.MailboxStats, err error) {
	open, err := c.stores(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, open.Close()) }()
	for _, store := range open {
		s, err := store.Stats(ctx, "")
		if err != nil {
			return nil, err
		}
		all = append(all, s.Mailboxes...)
	}
	return all, nil
}

// states reads what the fetchers last said of their mailboxes.
func (c *command) states(ctx context.Context) (_ []schemas.MailboxState, err error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	url := s.RedisURL.Reveal()
	if isEmbedded(url) {
		e, running, err := c.home().Endpoints()
		if err != nil {
			return nil, err
		}
		if !running || e.RedisURL == "" {
			return nil, errNotRunning
		}
		url = e.RedisURL
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client, err := lease.Dial(ctx, lease.Options{URL: url, Logger: zap.NewNop()})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	return client.DetailedStates(ctx, "")
}

func (c *command) showStatus(s status) error {
	if !s.Running {
		if err := c.printf("Not running: %s\n\n", s.Problem); err != nil {
			return err
		}
	}
	if len(s.Mailboxes) == 0 {
		return c.printf("No mailbox is configured. Describe one in a file and run `mailyard apply -f FILE`.\n")
	}
	rows := [][]string{{"MAILBOX", "NAME", "STATE", "LAST SUCCESS", "WAITING", "IN FLIGHT", "STORED", "INVALID", "PARKED"}}
	for _, m := range s.Mailboxes {
		var invalid int64
		for _, n := range m.Counts.Invalid {
			invalid += n
		}
		rows = append(rows, []string{
			m.Tenant + "/" + m.Mailbox, oneLine(m.Name, 30), s.stateOf(m), ageText(m.LastSuccess),
			strconv.Itoa(m.Waiting), strconv.Itoa(m.InFlight),
			strconv.FormatInt(m.Counts.Accepted, 10), strconv.FormatInt(invalid, 10), strconv.Itoa(m.Parked),
		})
	}
	if err := c.table(rows); err != nil {
		return err
	}
	for _, m := range s.Mailboxes {
		if m.Detail == "" {
			continue
		}
		next := ""
		if m.NextAttempt != nil {
			next = "; next attempt " + m.NextAttempt.Local().Format("15:04:05")
		}
		if err := c.printf("\n%s/%s: %s%s\n", m.Tenant, m.Mailbox, oneLine(m.Detail, 400), next); err != nil {
			return err
		}
	}
	if !s.Running {
		return nil
	}
	if err := c.printf("\n"); err != nil {
		return err
	}
	if err := c.printBacklogs(s.Streams); err != nil {
		return err
	}
	return c.printf("\n%s\n", deadText(s.Dead))
}

// stateOf returns the state of a mailbox for people. What an enabled mailbox
// would be is not known while nothing runs.
func (s status) stateOf(m mailboxLine) string {
	if !s.Running && m.Status == schemas.StatusConnecting {
		return "not running"
	}
	return string(m.Status)
}

func deadText(n int) string {
	switch {
	case n == 0:
		return "No dead letters."
	case n == bus.MaxDeadLetters:
		return fmt.Sprintf("%d dead letters or more: see `mailyard dead list`.", n)
	case n == 1:
		return "1 dead letter: see `mailyard dead list`."
	}
	return fmt.Sprintf("%d dead letters: see `mailyard dead list`.", n)
}
