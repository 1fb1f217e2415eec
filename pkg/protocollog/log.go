package protocollog

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

const (
	lookTime  = 2 * time.Second        // between two looks at which mailboxes are switched on
	writeTime = 300 * time.Millisecond // between two batches of lines
	// mostWaiting is how many lines of a mailbox wait to be written. More of
	// them are counted and left out: a connection never waits for the log.
	mostWaiting = 2000
)

// Options of New.
type Options struct {
	Redis   *lease.Client
	Replica string // who tells, in every line
	Logger  *zap.Logger
}

// A Log is the protocol logs of a replica. It is safe for concurrent use.
type Log struct {
	options Options
	told    atomic.Bool // something waits to be written

	mu        sync.Mutex
	switched  map[lease.MailboxID]time.Time // on, with the end, as was last read
	mailboxes map[lease.MailboxID]*mailbox  // that have connections
}

// A mailbox is what its connections share.
type mailbox struct {
	on atomic.Bool

	mu      sync.Mutex
	open    int // connections
	made    int // connections, ever
	waiting []lease.ProtocolLine
	left    int // lines, out
}

// New returns a log, which is off until Run runs.
func New(o Options) *Log {
	return &Log{options: o, mailboxes: map[lease.MailboxID]*mailbox{}}
}

// Trace returns what a connection to a mailbox's server tells its lines to.
// name says what it is for, such as "watch". done is called when the connection
// has ended.
func (l *Log) Trace(tenant, id, name string) (trace *mailhost.Trace, done func()) {
	key := lease.MailboxID{Tenant: tenant, Mailbox: id}
	l.mu.Lock()
	defer l.mu.Unlock()
	m := l.mailboxes[key]
	if m == nil {
		m = &mailbox{}
		m.on.Store(time.Now().Before(l.switched[key]))
		l.mailboxes[key] = m
	}
	m.open++
	m.made++
	connection := fmt.Sprintf("%s %d", name, m.made)
	return &mailhost.Trace{On: &m.on, Take: func(d mailhost.Direction, text string) { l.take(m, connection, d, text) }}, sync.OnceFunc(func() { l.closed(key, m) })
}

// closed forgets a mailbox that has no connections any more, when it has
// nothing to tell either.
func (l *Log) closed(key lease.MailboxID, m *mailbox) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m.open--
	l.forget(key, m)
}

// forget drops a mailbox without connections; mu is held.
func (l *Log) forget(key lease.MailboxID, m *mailbox) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.open == 0 && len(m.waiting) == 0 && !m.on.Load() {
		delete(l.mailboxes, key)
	}
}

func (l *Log) take(m *mailbox, connection string, d mailhost.Direction, text string) {
	line := lease.ProtocolLine{At: time.Now().UTC(), Replica: l.options.Replica, Connection: connection, Direction: string(d), Text: text}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.waiting) == mostWaiting {
		m.left++
		return
	}
	m.waiting = append(m.waiting, line)
	l.told.Store(true)
}

// Run follows what is switched on, and writes what is told, until ctx is done.
func (l *Log) Run(ctx context.Context) {
	look, write := time.NewTicker(lookTime), time.NewTicker(writeTime)
	defer look.Stop()
	defer write.Stop()
	l.look(ctx)
	for {
		select {
		case <-ctx.Done():
			l.off()
			return
		case <-look.C:
			l.look(ctx)
		case <-write.C:
			l.write(ctx)
		}
	}
}

// off switches everything off.
func (l *Log) off() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, m := range l.mailboxes {
		m.on.Store(false)
	}
}

// look reads what is switched on. While Redis is away, what was on stays on
// until its end.
func (l *Log) look(ctx context.Context) {
	switched, err := l.options.Redis.ProtocolLogs(ctx)
	if err != nil && ctx.Err() == nil {
		l.options.Logger.Debug("reading which protocol logs are on", zap.Error(err)) // whoever needs Redis says that it is away
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(switched)+len(l.switched) == 0 {
		return // as nearly always
	}
	if err == nil {
		l.switched = switched
	}
	for key, m := range l.mailboxes {
		m.on.Store(time.Now().Before(l.switched[key]))
		l.forget(key, m)
	}
}

// write writes what waits.
func (l *Log) write(ctx context.Context) {
	if !l.told.Swap(false) {
		return
	}
	l.mu.Lock()
	mailboxes := maps.Clone(l.mailboxes)
	l.mu.Unlock()
	for key, m := range mailboxes {
		lines := m.drain(l.options.Replica)
		if len(lines) == 0 {
			continue
		}
		if err := l.options.Redis.AppendProtocol(ctx, key.Tenant, key.Mailbox, lines); err != nil && ctx.Err() == nil {
			l.options.Logger.Warn("writing a protocol log", zap.Error(err), zap.Int("lines_lost", len(lines)))
		}
	}
}

// drain takes what waits.
func (m *mailbox) drain(replica string) []lease.ProtocolLine {
	m.mu.Lock()
	defer m.mu.Unlock()
	lines := m.waiting
	if m.left > 0 {
		lines = append(lines, lease.ProtocolLine{At: time.Now().UTC(), Replica: replica, Direction: string(mailhost.Remark), Text: fmt.Sprintf("%d lines more were said than can be kept", m.left)})
	}
	m.waiting, m.left = nil, 0
	return lines
}
