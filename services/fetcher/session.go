package fetcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

const (
	// idleTime is how long one IDLE lasts: below what address translators
	// forget (RFC 2177 allows 29 minutes at most). Its end is a proof of life
	// and a look at the inbox, whatever the server told.
	idleTime = 4*time.Minute + 30*time.Second
	// pollTime is the pause between two looks on a server without IDLE.
	pollTime = 45 * time.Second
	// replayTime is how soon a mail is found whose dead letter was replayed.
	replayTime = 10 * time.Second
	// inFlightPoll is how soon the marks are looked at again while their number
	// holds downloads back; the pause doubles up to longestInFlightPoll while
	// nothing leaves the pipeline.
	inFlightPoll        = 50 * time.Millisecond
	longestInFlightPoll = 5 * time.Second
	// reselectTime is how long a selected inbox is trusted: its UIDVALIDITY
	// and the server's view of it are read anew after that.
	reselectTime = 20 * time.Minute
	// laneGrace is how long a session that ends waits for its lanes: they may
	// have a large mail on the way, or stand before a full stream.
	laneGrace = 10 * time.Second
	// sizesAtOnce is how many sizes one look asks for, and readyEnough how
	// many waiting mails are enough work for the next look to be put off.
	sizesAtOnce = 2000
	readyEnough = 500
)

// errReselect ends a session whose inbox is another one now, without fault.
var errReselect = errors.New("the mailbox is read anew")

// A session serves one mailbox over one watch connection and the lanes'
// connections, for as long as the configuration is the same.
type session struct {
	*mailbox
	view    configwatch.View
	target  imapconn.Target
	conn    *imapconn.Conn
	inbox   imapconn.Inbox
	backlog *backlog
	// underWay says that the last listing held mails that were waiting or in
	// flight. It belongs to the goroutine that watches.
	underWay bool
	withheld bool // the last listing had dead letters
}

// run watches the inbox until ctx is done, the watch connection fails or a lane
// finds that it cannot go on. Downloads that were begun have laneGrace to end.
func (s *session) run(ctx, hard context.Context) error {
	watching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	working, abandon := context.WithCancel(hard)
	defer abandon()
	var g errgroup.Group
	for _, k := range []kind{light, large} {
		l := &lane{session: s, kind: k, logger: s.logger.With(zap.String("lane", string(k.lane())))}
		g.Go(func() error {
			if err := l.run(watching, working); err != nil {
				stop(&laneError{err})
			}
			return nil
		})
	}
	g.Go(func() error {
		s.trackInFlight(watching)
		return nil
	})
	err := s.watch(watching)
	stop(nil)
	grace := time.AfterFunc(laneGrace, abandon)
	defer grace.Stop()
	_ = g.Wait() // they return no error
	var failed *laneError
	if errors.As(context.Cause(watching), &failed) {
		return failed.error // it ended the watching, too
	}
	return err
}

// A laneError ended a session, because its lane cannot go on.
type laneError struct{ error }

func (e *laneError) Unwrap() error { return e.error }

// watch lists the inbox, hands what is new to the lanes, and waits for news.
func (s *session) watch(ctx context.Context) error {
	trusted := cmp.Or(s.config.reselectTime, reselectTime)
	end := time.Now().Add(trusted)
	for ctx.Err() == nil {
		more, err := s.list(ctx)
		if err != nil {
			return err
		}
		if err := s.await(ctx, more); err != nil {
			return err
		}
		if time.Now().Before(end) || ctx.Err() != nil {
			continue
		}
		if err := s.selectInbox(ctx, s.conn); err != nil {
			return err
		}
		end = time.Now().Add(trusted)
	}
	return nil
}

// selectInbox selects the inbox on a connection, and sees that it is still the
// one that the session's UIDs belong to; otherwise the error is errReselect.
func (s *session) selectInbox(ctx context.Context, conn *imapconn.Conn) error {
	now, err := conn.Select(ctx, s.view.Mailbox.Document.Inbox)
	if err != nil {
		return fmt.Errorf("selecting the inbox of %s: %w", s.name(), err)
	}
	if now.UIDValidity != s.inbox.UIDValidity {
		return fmt.Errorf("selecting the inbox of %s: UIDVALIDITY changed from %d to %d: %w", s.name(), s.inbox.UIDValidity, now.UIDValidity, errReselect)
	}
	return nil
}

// list takes a listing over into the backlog. more says that the inbox holds
// mails that are not in the backlog yet.
func (s *session) list(ctx context.Context) (more bool, err error) {
	asOf := s.backlog.now()
	marked, err := s.redis.Marked(ctx, s.marks(), s.inbox.UIDValidity)
	if err != nil {
		// Until the lease ends, what this process knows by itself must do.
		s.logger.Warn("reading in-flight marks", zap.Error(err))
		marked, asOf = nil, -1
	}
	listed, err := s.conn.List(ctx, imapconn.ListOptions{Since: s.since()})
	if err != nil {
		return false, fmt.Errorf("listing the inbox of %s: %w", s.name(), err)
	}
	s.withheld = false
	parked := func(uid uint32) bool {
		has := s.parked.Has(s.key(uid))
		s.withheld = s.withheld || has
		return has
	}
	s.giveUp(ctx, s.backlog.hopeless(listed))
	room, reached := s.quota(ctx, sizesAtOnce)
	fresh, more := s.backlog.list(listed, marked, asOf, room, parked)
	if reached && more && s.backlog.begun() == 0 {
		return false, &limitReached{s.tenant, s.view.Tenant.Document.Limits.MailPerDay}
	}
	if len(fresh) > 0 {
		infos, err := s.conn.Sizes(ctx, fresh)
		if err != nil {
			return false, fmt.Errorf("asking sizes in the inbox of %s: %w", s.name(), err)
		}
		s.backlog.add(s.wanted(complete(infos, fresh)))
	}
	s.forget(ctx, marked, listed)
	c := s.backlog.count(listed, parked)
	s.underWay = c.waiting+c.taken+c.inFlight > 0
	s.report(ctx, c)
	return more && !reached, nil
}

// complete adds the mails of which the server told no size: their download shows
// what they are.
func complete(infos []imapconn.MailInfo, uids []uint32) []imapconn.MailInfo {
	sized := make(map[uint32]bool, len(infos))
	for _, m := range infos {
		sized[m.UID] = true
	}
	for _, uid := range uids {
		if !sized[uid] {
			infos = append(infos, imapconn.MailInfo{UID: uid})
		}
	}
	return infos
}

// forget clears the marks of mails that have left the inbox: their disposal was
// quicker than their mark.
func (s *session) forget(ctx context.Context, marked, listed []uint32) {
	gone := slices.DeleteFunc(slices.Clone(marked), func(uid uint32) bool {
		_, here := slices.BinarySearch(listed, uid)
		return here
	})
	if len(gone) == 0 {
		return
	}
	if err := s.redis.Unmark(ctx, s.tenant, s.id, s.inbox.UIDValidity, gone); err != nil {
		s.logger.Warn("clearing in-flight marks", zap.Error(err), zap.Int("mails", len(gone)))
	}
}

// await returns when the inbox is to be listed again.
func (s *session) await(ctx context.Context, more bool) error {
	if more {
		return s.awaitRoom(ctx)
	}
	pause := idleTime
	if !s.conn.HasIdle() {
		pause = pollTime
	}
	pause = s.backlog.soonest(pause)
	if s.underWay { // no server tells when that ends, and the readers of the state want to know
		pause = min(pause, refreshTime)
	}
	if s.withheld { // nor that a dead letter is replayed
		pause = min(pause, replayTime)
	}
	_, err := s.conn.Wait(ctx, pause)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("watching the inbox of %s: %w", s.name(), err)
	}
	return nil
}

// awaitRoom returns when little of what is in the backlog is left to begin, and
// after a while in any case: the server must hear from us, and the readers of
// the state too.
func (s *session) awaitRoom(ctx context.Context) error {
	t := time.NewTicker(inFlightPoll)
	defer t.Stop()
	end := time.Now().Add(refreshTime)
	for s.backlog.busy() && time.Now().Before(end) {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
	return nil
}

// trackInFlight follows what leaves the pipeline while the number of mails in
// flight holds downloads back.
func (s *session) trackInFlight(ctx context.Context) {
	pause := inFlightPoll
	t := time.NewTimer(pause)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if !s.backlog.limited() || s.lookInFlight(ctx) {
			pause = inFlightPoll
		} else {
			pause = min(2*pause, longestInFlightPoll)
		}
		t.Reset(pause)
	}
}

// lookInFlight reads the marks and reports whether any are gone.
func (s *session) lookInFlight(ctx context.Context) (progress bool) {
	asOf := s.backlog.now()
	marked, err := s.redis.Marked(ctx, s.marks(), s.inbox.UIDValidity)
	if err != nil {
		return false // the listing says so; the limit holds until Redis answers
	}
	return s.backlog.marked(marked, asOf)
}

// since returns the oldest arrival that is imported; zero means all.
func (s *session) since() time.Time {
	switch v := s.view.Mailbox.Document.ImportSince; v {
	case config.ImportAll, "":
		return time.Time{}
	case config.ImportNew:
		if at := s.view.Mailbox.EnabledAt; at != nil {
			return *at
		}
		return time.Time{}
	default:
		day, err := time.Parse(time.DateOnly, v)
		if err != nil {
			return time.Time{} // validation lets nothing else through
		}
		return day
	}
}

// wanted leaves out what arrived before import_since: a server compares days
// only (RFC 3501, section 6.4.4).
func (s *session) wanted(infos []imapconn.MailInfo) []imapconn.MailInfo {
	since := s.since().Truncate(time.Second)
	if since.IsZero() {
		return infos
	}
	var old []uint32
	kept := infos[:0:0]
	for _, m := range infos {
		if !m.InternalDate.IsZero() && m.InternalDate.Before(since) {
			old = append(old, m.UID)
		} else {
			kept = append(kept, m)
		}
	}
	s.backlog.ignore(old)
	return kept
}

func (s *session) key(uid uint32) schemas.MailKey {
	return schemas.MailKey{Tenant: s.tenant, Mailbox: s.id, UIDValidity: s.inbox.UIDValidity, UID: uid}
}
