package operation

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"go.uber.org/zap"
	"golang.org/x/text/cases"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/opaque"
	"github.com/mailyard/mailyard/schemas"
)

// rosterAge is how old the facts of a list may be: long enough that many open
// pages cost what one does.
const rosterAge = time.Second

// staleAfter is how long a replica may say nothing before what it said last is
// shown as old.
const staleAfter = 90 * time.Second

// MailboxRow is a mailbox in a list: what is configured, joined with what is
// known of it at run time.
type MailboxRow struct {
	Tenant      string      `json:"tenant"`
	ID          string      `json:"id"`
	Name        string      `json:"name"`
	Description string      `json:"description,omitempty"`
	Username    string      `json:"username"`
	Host        string      `json:"host"`
	Folders     []FolderRef `json:"folders"`
	Enabled     bool        `json:"enabled"`
	Revision    string      `json:"revision"`
	In          Incoming    `json:"in"`
	Out         Outgoing    `json:"out"`
	Waiting     int         `json:"waiting"`      // in the inbox, not yet fetched
	InFlight    int         `json:"in_flight"`    // fetched, not yet disposed of
	Parked      int         `json:"parked"`       // dead letters whose mail waits in the inbox
	Today       int64       `json:"today"`        // accepted since midnight UTC
	FailedToday int64       `json:"failed_today"` // invalid since midnight UTC
	Problem     string      `json:"problem,omitempty"`

	folded   folded
	revision int64
}

// folded is what a row is searched and sorted by, without regard to case. It is
// made when the configuration changes, not whenever the list is shown.
type folded struct {
	name, username string
	text           string // all that is searched, a line each
}

// FolderRef names a folder.
type FolderRef struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Incoming is the state of the IMAP side.
type Incoming struct {
	Status      schemas.MailboxStatus `json:"status"`
	Detail      string                `json:"detail,omitempty"`
	Since       *time.Time            `json:"since,omitempty"`
	LastSuccess *time.Time            `json:"last_success,omitempty"`
	NextAttempt *time.Time            `json:"next_attempt,omitempty"`
	ObservedAt  *time.Time            `json:"observed_at,omitempty"` // when the replica last said so
	Stale       bool                  `json:"stale"`                 // the replica has said nothing for a while
	Replica     string                `json:"replica,omitempty"`
}

// OutgoingStatus is the state of the SMTP side.
type OutgoingStatus string

// The states of the SMTP side. The list is closed.
const (
	OutgoingOff      OutgoingStatus = "off"      // no SMTP address: it does not send
	OutgoingUntested OutgoingStatus = "untested" // not tested since it was configured so
	OutgoingReady    OutgoingStatus = "ready"    // the last test signed in
	OutgoingFailed   OutgoingStatus = "failed"   // the last test did not
)

// Outgoing is the state of the SMTP side: what its last test said.
type Outgoing struct {
	Status OutgoingStatus `json:"status"`
	Detail string         `json:"detail,omitempty"`
	At     *time.Time     `json:"at,omitempty"`
}

// A roster holds the rows of a tenant for a moment.
type roster struct {
	mu       sync.Mutex
	revision int64        // that base was read at
	base     []MailboxRow // what is configured
	rows     []MailboxRow // with what is known at run time
	away     []string     // what could not be asked
	at       time.Time
}

// MailboxNames returns the names of a tenant's mailboxes by their ids, for lists
// of what refers to mailboxes.
func (d *Desk) MailboxNames(ctx context.Context, a control.Actor, tenant string) (map[string]string, error) {
	rows, _, err := d.roster(ctx, a, tenant)
	names := make(map[string]string, len(rows))
	for i := range rows {
		names[rows[i].ID] = rows[i].Name
	}
	return names, err
}

// roster returns the rows of a tenant, by id, and what could not be asked for
// them. They are shared: not to be changed.
func (d *Desk) roster(ctx context.Context, a control.Actor, tenant string) (rows []MailboxRow, away []string, err error) {
	if err := mayRead(a, tenant); err != nil {
		return nil, nil, err
	}
	t, err := d.Control.GetTenant(ctx, a, tenant)
	if err != nil {
		return nil, nil, err
	}
	revision, err := d.Control.Revision(ctx)
	if err != nil {
		return nil, nil, err
	}
	detailed := a.Role == control.RoleLandlord
	r := d.rosters.of(rosterKey{tenant, detailed})
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.base == nil || r.revision != revision {
		if r.base, err = d.configured(ctx, a, tenant); err != nil {
			return nil, nil, err
		}
		r.revision, r.at = revision, time.Time{}
	}
	if time.Since(r.at) > rosterAge {
		r.rows, r.away = d.observed(ctx, t, r.base, detailed)
		r.at = time.Now()
	}
	return r.rows, r.away, nil
}

// A rosterKey is whose roster it is: the landlord reads more in it.
type rosterKey struct {
	tenant   string
	detailed bool
}

// of returns a roster.
func (r *rosters) of(key rosterKey) *roster {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tenants == nil {
		r.tenants = map[rosterKey]*roster{}
	}
	if r.tenants[key] == nil {
		r.tenants[key] = &roster{}
	}
	return r.tenants[key]
}

func (d *Desk) configured(ctx context.Context, a control.Actor, tenant string) ([]MailboxRow, error) {
	mailboxes, err := d.Control.ListMailboxes(ctx, a, tenant)
	if err != nil {
		return nil, err
	}
	folders, err := d.Control.ListFolders(ctx, a, tenant)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(folders))
	for _, f := range folders {
		names[f.Document.ID] = f.Document.Name
	}
	rows, s := make([]MailboxRow, len(mailboxes)), d.revisions(tenant)
	for i, m := range mailboxes {
		rows[i] = configured(m, names, s)
	}
	return rows, nil
}

// observed adds what is known at run time. What is away takes only its own
// columns with it: a list that shows what is configured is better than none. It
// is for all who look at the list: whoever asked first may leave.
func (d *Desk) observed(ctx context.Context, t control.Tenant, base []MailboxRow, detailed bool) (rows []MailboxRow, away []string) {
	rows = slices.Clone(base)
	byID := make(map[string]*MailboxRow, len(rows))
	for i := range rows {
		byID[rows[i].ID] = &rows[i]
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	unknown := func(what string, err error) {
		d.Logger.Warn("reading for the list of mailboxes", zap.String("tenant", t.Document.ID), zap.String("what", what), zap.Error(err))
		away = append(away, what)
	}
	now := d.now()
	states, err := d.states(ctx, t.Document.ID, detailed)
	if err != nil {
		unknown("the states of the mailboxes (Redis is away)", err)
	}
	for _, s := range states {
		if r := byID[s.Mailbox]; r != nil {
			r.observe(s, now)
		}
	}
	tests, err := d.Leases.Outgoing(ctx, t.Document.ID)
	if err != nil {
		unknown("the last tests of sending (Redis is away)", err)
	}
	for _, o := range tests {
		if r := byID[o.Mailbox]; r != nil {
			r.tested(o)
		}
	}
	store, ok := d.Stores[t.Document.MessagingDatabase]
	if !ok {
		return rows, append(away, "the counts of mail (the messaging database "+t.Document.MessagingDatabase+" is not configured)")
	}
	stats, err := store.Stats(ctx, t.Document.ID)
	if err != nil {
		unknown("the counts of mail (the messaging database is away)", err)
	}
	for _, s := range stats.Mailboxes {
		if r := byID[s.Mailbox]; r != nil {
			r.count(s)
		}
	}
	return rows, away
}

// configured is what the configuration alone tells.
func configured(m control.Mailbox, names map[string]string, s opaque.Sealer) MailboxRow {
	doc := m.Document
	r := MailboxRow{
		Tenant: doc.Tenant, ID: doc.ID, Name: doc.Name, Description: doc.Description, Username: doc.Username,
		Host: doc.IMAP.Host, Enabled: doc.Enabled, Revision: s.Seal(m.Revision), revision: m.Revision, Folders: make([]FolderRef, len(doc.Folders)),
	}
	for i, id := range doc.Folders {
		r.Folders[i] = FolderRef{ID: id, Name: cmp.Or(names[id], id)}
	}
	texts := []string{r.Name, r.ID, r.Username, r.Host}
	for _, ref := range r.Folders {
		texts = append(texts, ref.Name)
	}
	r.folded = folded{name: fold(r.Name), username: fold(r.Username), text: fold(strings.Join(texts, "\n"))}
	switch {
	case doc.Enabled:
		r.In.Status = schemas.StatusConnecting
	case m.EnabledAt != nil:
		r.In.Status = schemas.StatusDisabled
	default:
		r.In.Status = schemas.StatusDraft
	}
	r.Out.Status = OutgoingUntested
	if doc.SMTP.Host == "" {
		r.Out.Status = OutgoingOff
	}
	return r
}

// observe adds what the replica that serves the mailbox told last.
func (r *MailboxRow) observe(s schemas.MailboxState, now time.Time) {
	if !r.Enabled {
		// What was told before it was disabled is over, but for the counts.
		r.Parked, r.InFlight = s.Parked, s.InFlight
		return
	}
	r.In = Incoming{Status: s.Status, Detail: s.Detail, LastSuccess: s.LastSuccess, NextAttempt: s.NextAttempt, ObservedAt: s.ObservedAt, Replica: s.Replica}
	if !s.Since.IsZero() {
		r.In.Since = &s.Since
	}
	r.In.Stale = s.ObservedAt != nil && now.Sub(*s.ObservedAt) > staleAfter
	r.Waiting, r.InFlight, r.Parked = s.Waiting, s.InFlight, s.Parked
	if needsAttention(s.Status) {
		r.Problem = s.Detail
	}
}

// tested adds what the last test of the SMTP side said, unless it was of
// another configuration.
func (r *MailboxRow) tested(o lease.OutgoingState) {
	if r.Out.Status == OutgoingOff || o.Revision != r.revision {
		return
	}
	r.Out = Outgoing{Status: OutgoingReady, Detail: o.Detail, At: &o.At}
	if !o.OK {
		r.Out.Status = OutgoingFailed
		r.Problem = cmp.Or(r.Problem, o.Detail)
	}
}

// count adds what is stored.
func (r *MailboxRow) count(s mailstore.MailboxStats) {
	r.Today, r.FailedToday = s.AcceptedToday, s.InvalidToday
}

// needsAttention reports whether somebody has to do something.
func needsAttention(s schemas.MailboxStatus) bool {
	switch s {
	case schemas.StatusBlocked, schemas.StatusAuthFailed, schemas.StatusTLSFailed, schemas.StatusUnreachable, schemas.StatusFolderMissing, schemas.StatusFailed:
		return true
	}
	return false
}

// found reports whether one of the texts holds what is looked for, without
// regard to case.
func found(search string, texts ...string) bool {
	search = fold(strings.TrimSpace(search))
	if search == "" {
		return true
	}
	for _, t := range texts {
		if strings.Contains(fold(t), search) {
			return true
		}
	}
	return false
}

func fold(s string) string {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return cases.Fold().String(s)
		}
	}
	return strings.ToLower(s) // the same, and much quicker
}
