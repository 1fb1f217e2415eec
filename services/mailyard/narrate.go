package mailyard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

const (
	// summaryTime is between two lines that sum up, if anything happened.
	summaryTime = 15 * time.Second
	// linesPerSecond is how many mails are told of one by one; a person cannot
	// read more, and a drain would spend its time on it.
	linesPerSecond = 20
	// maxStored bounds what is remembered of mails that are not disposed of; of
	// the mails beyond it, those with several items may be counted twice.
	maxStored = 100_000
)

// A narrator tells a person on a terminal what becomes of each mail. It is an
// application like any other: it follows the events and reads the messaging
// database.
type narrator struct {
	bus    bus.Options
	stores stores.Stores
	out    io.Writer
	logger *zap.Logger

	told atomic.Uint64 // sequence of the last event

	mu      sync.Mutex // guards what follows
	total   totals
	shown   totals          // when the last summary was printed
	second  int64           // of the last line
	lines   int             // in that second
	skipped int             // mails that were not told of one by one
	stored  map[string]bool // counted and not disposed of yet, at most maxStored
}

type totals struct{ stored, light, large, clones, invalid, moved, deleted, dead int }

// Narrate makes Run tell on out what becomes of each mail.
func (in *Installation) Narrate(out io.Writer) {
	in.narrator = &narrator{bus: in.Bus, stores: in.Stores, out: out, logger: in.logger, stored: map[string]bool{}}
}

// Run tells until ctx is done, and ends with a summary.
func (n *narrator) Run(ctx context.Context, ready func()) (err error) {
	conn, err := bus.Connect(ctx, n.bus.Named("narrator"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(process.Hard(ctx))) }()
	consumer, err := conn.JetStream().OrderedConsumer(ctx, schemas.StreamEvents, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy})
	if err != nil {
		return fmt.Errorf("following the events: %w", err)
	}
	hard := process.Hard(ctx)
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		n.tell(hard, m)
		if meta, err := m.Metadata(); err == nil {
			n.told.Store(meta.Sequence.Stream)
		}
	})
	if err != nil {
		return fmt.Errorf("following the events: %w", err)
	}
	defer func() {
		consuming.Stop()
		<-consuming.Closed()
		n.sumUp(true)
	}()
	ready()
	t := time.NewTicker(summaryTime)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			n.catchUp(hard, conn)
			return nil
		case <-t.C:
			n.sumUp(false)
		}
	}
}

// catchUp waits for what the services told last: they have stopped before.
func (n *narrator) catchUp(ctx context.Context, conn *bus.Conn) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	stream, err := conn.JetStream().Stream(ctx, schemas.StreamEvents)
	if err != nil {
		return // the summary is what it is
	}
	t := time.NewTicker(10 * time.Millisecond)
	defer t.Stop()
	for last := stream.CachedInfo().State.LastSeq; n.told.Load() < last && n.told.Load() > 0; {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (n *narrator) tell(ctx context.Context, m jetstream.Msg) {
	var err error
	switch cloudevents.Attribute(m.Headers(), "type") {
	case schemas.TypeMailPersisted:
		var e schemas.MailPersisted
		if err = cloudevents.Decode(m.Headers(), m.Data(), &e); err == nil {
			n.persisted(e.Data)
		}
	case schemas.TypeMailRejected:
		n.count(func(t *totals) { t.invalid++ })
	case schemas.TypeMailDisposed:
		var e schemas.MailDisposed
		if err = cloudevents.Decode(m.Headers(), m.Data(), &e); err == nil {
			n.disposed(ctx, e.Data)
		}
	case schemas.TypeMailParked:
		var e schemas.MailParked
		if err = cloudevents.Decode(m.Headers(), m.Data(), &e); err == nil {
			n.count(func(t *totals) { t.dead++ })
			n.line("✗ dead letter", fmt.Sprintf("%s/%s UID %v: %s gave up: %s", e.Data.Tenant, e.Data.Mailbox, e.Data.UIDs, e.Data.Stage, clean(e.Data.Error, 120)))
		}
	case schemas.TypeMailboxState:
		var e schemas.MailboxStateChanged
		if err = cloudevents.Decode(m.Headers(), m.Data(), &e); err == nil {
			n.state(e.Data)
		}
	}
	if err != nil {
		n.logger.Warn("reading an event", zap.Error(err))
	}
}

func (n *narrator) count(change func(*totals)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change(&n.total)
}

func (n *narrator) state(s schemas.MailboxState) {
	text := s.Tenant + "/" + s.Mailbox + " is " + string(s.Status)
	if s.Detail != "" {
		text += ": " + clean(s.Detail, 200)
	}
	n.line("· mailbox", text)
}

// persisted counts an item, and its mail with the first of its items.
func (n *narrator) persisted(p schemas.Persisted) {
	id := schemas.MailKey{Tenant: p.Tenant, Mailbox: p.Mailbox, UIDValidity: p.UIDValidity, UID: p.UID}.ID()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.total.clones++
	if n.stored[id] {
		return
	}
	if len(n.stored) >= maxStored {
		clear(n.stored)
	}
	n.stored[id] = true
	n.total.stored++
	if p.Lane == schemas.Large {
		n.total.large++
	} else {
		n.total.light++
	}
}

// disposed tells of mails that left the inbox: they have their whole way behind
// them. Only those that are told of are read.
func (n *narrator) disposed(ctx context.Context, d schemas.Disposed) {
	for _, uid := range d.UIDs {
		id := schemas.MailKey{Tenant: d.Tenant, Mailbox: d.Mailbox, UIDValidity: d.UIDValidity, UID: uid}.ID()
		n.count(func(t *totals) {
			if d.Method == "delete" {
				t.deleted++
			} else {
				t.moved++
			}
			delete(n.stored, id)
		})
		if !n.mayTell() {
			continue
		}
		m, ok := n.mail(ctx, d.Tenant, id)
		if !ok {
			continue
		}
		destination := "deleted"
		if d.Method != "delete" {
			destination = "→ " + clean(d.Destination, 40)
		}
		mark, to := "✓", strings.Join(folderNames(m), " + ")
		if m.Verdict == schemas.Invalid {
			mark, to = "!", "invalid: "+string(m.Reason)
		}
		n.line(mark+" "+string(m.Lane), fmt.Sprintf("%-44s %9s  %-28s %5s  %s", quoted(m.Subject, 42), size(m.Size), to, took(m, d.DisposedAt), destination))
	}
}

// mail reads a mail whose disposal may be told of. A mail that is not found was
// stored under an earlier key.
func (n *narrator) mail(ctx context.Context, tenant, id string) (mailstore.Detail, bool) {
	for _, store := range n.stores {
		d, err := store.Mail(ctx, tenant, id)
		if err == nil {
			return d, true
		}
		if !errors.Is(err, mailstore.ErrNotFound) {
			n.logger.Warn("reading a mail", zap.Error(err))
		}
	}
	return mailstore.Detail{}, false
}

// mayTell reports whether one more line fits into this second.
func (n *narrator) mayTell() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now().Unix()
	if now != n.second {
		n.second, n.lines = now, 0
	}
	n.lines++
	if n.lines > linesPerSecond {
		n.skipped++
		return false
	}
	return true
}

func (n *narrator) line(label, text string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.print("%s  %-13s %s", time.Now().Format("15:04:05"), label, strings.TrimRight(text, " "))
}

// print writes a line; n.mu is held.
func (n *narrator) print(format string, args ...any) {
	if _, err := fmt.Fprintf(n.out, format+"\n", args...); err != nil {
		n.logger.Debug("writing to the terminal", zap.Error(err))
	}
}

// sumUp prints what happened since the start, if something did since the last time.
func (n *narrator) sumUp(always bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := n.total
	if t == n.shown && !always {
		return
	}
	n.shown = t
	more := ""
	if n.skipped > 0 {
		more = fmt.Sprintf(" (%d of them not told one by one)", n.skipped)
	}
	n.print("%s  %-13s %d stored (%d light, %d large) as %d items, %d invalid, %d moved, %d deleted, %d dead letters%s",
		time.Now().Format("15:04:05"), "= so far", t.stored, t.light, t.large, t.clones, t.invalid, t.moved, t.deleted, t.dead, more)
}

func folderNames(d mailstore.Detail) []string {
	names := make([]string, len(d.Items))
	for i, item := range d.Items {
		names[i] = clean(item.FolderName, 30)
	}
	return names
}

func took(d mailstore.Detail, end time.Time) string {
	if d.FetchedAt == nil {
		return ""
	}
	return fmt.Sprintf("%d ms", end.Sub(*d.FetchedAt).Milliseconds())
}

func size(n int64) string {
	if n < 1_000_000 {
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

func quoted(s string, max int) string { return "“" + clean(s, max) + "”" }

// clean makes text of others fit a line of a terminal.
func clean(s string, max int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > max {
		return string(r[:max-1]) + "…"
	}
	return s
}
