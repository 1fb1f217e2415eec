package fetcher

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/imapconn"
)

const (
	// pipelined is how many download commands are outstanding on a connection:
	// the second hides the round trip of the first.
	pipelined = 2
	// announcedSlack is how much larger than its announced size a mail may turn
	// out to be and still be taken: some servers count line ends differently.
	announcedSlack = 1 << 20
	// publishing is how many downloaded batches may wait for their PubAcks
	// before the lane reads no more from the mail server.
	publishing = 4
)

// A lane downloads the mails of one kind over a connection of its own.
// The large lane takes the header sections of oversize mails along.
type lane struct {
	*session
	kind      kind
	logger    *zap.Logger
	published atomic.Int64 // mails so far

	mu      sync.Mutex        // guards what follows
	open    map[uint32]*claim // taken from the backlog and not yet published or put back
	batches int               // taken so far
}

// A claim is a mail that a lane took from the backlog.
type claim struct {
	info  imapconn.MailInfo
	batch int  // the how-manieth that was taken; they are answered in this order
	began bool // its body began to come
	came  bool // it was downloaded in full
}

// run downloads until taking is done, and then ends what it began, unless hard
// ends before. A broken connection is made again, with a pause that grows while
// nothing succeeds; any other trouble with the server is the session's.
func (l *lane) run(taking, hard context.Context) error {
	l.open = map[uint32]*claim{}
	pause := time.Duration(0)
	for l.awaitWork(taking) {
		began, before := time.Now(), l.published.Load()
		err := l.download(taking, hard)
		l.giveBack(err)
		if err == nil {
			pause = 0
			continue
		}
		if taking.Err() != nil {
			return nil
		}
		if concernsSession(err) {
			return err
		}
		if time.Since(began) > time.Minute || l.published.Load() > before {
			pause = 0
		}
		pause = min(max(2*pause, time.Second), time.Minute)
		l.logger.Warn("downloading", zap.Error(err), zap.Duration("next_attempt_in", pause))
		select {
		case <-taking.Done():
		case <-time.After(jitter(pause)):
		}
	}
	return nil
}

// concernsSession reports whether a lane's error is one that the schedule of
// the mailbox is for, and its state is to tell.
func concernsSession(err error) bool {
	if errors.Is(err, errReselect) {
		return true
	}
	switch imapconn.KindOf(err) {
	case imapconn.KindCredentials, imapconn.KindTLS, imapconn.KindThrottled, imapconn.KindFolder:
		return true
	}
	return false
}

// awaitWork returns true when something waits for this lane, false when taking is done.
func (l *lane) awaitWork(taking context.Context) bool {
	for {
		change := l.backlog.change()
		if l.backlog.takeable(l.kind) || l.kind == large && l.backlog.takeable(oversize) {
			return taking.Err() == nil
		}
		select {
		case <-change:
		case <-taking.Done():
			return false
		}
	}
}

// download connects and downloads until nothing waited for max_idle_seconds.
func (l *lane) download(taking, hard context.Context) (err error) {
	conn, ended, err := l.dial(taking)
	if err != nil {
		return err
	}
	defer ended()
	defer func() { err = errors.Join(err, ignoreClosed(conn.Close(), err)) }()
	if err := l.selectInbox(taking, conn); err != nil {
		return err
	}
	var publications errgroup.Group
	publications.SetLimit(publishing)
	defer func() { err = errors.Join(err, publications.Wait()) }()
	for {
		if l.kind == large {
			if err := l.headers(taking, hard, conn, &publications); err != nil {
				return err
			}
		}
		idle, err := l.bodies(taking, hard, conn, &publications)
		if err != nil || idle {
			return err
		}
	}
}

// dial makes the lane's connection within the account's connection budget; ended
// gives its place back.
func (l *lane) dial(ctx context.Context) (conn *imapconn.Conn, ended func(), err error) {
	permit, err := l.permit(ctx, l.target)
	if err != nil {
		return nil, nil, err
	}
	options := l.config.IMAP
	options.MaxLiteral = l.backlog.maxMail + announcedSlack
	conn, untraced, err := l.session.dial(ctx, l.target, options, string(l.kind.lane()))
	if err != nil {
		permit.Release()
		return nil, nil, err
	}
	return conn, func() { untraced(); permit.Release() }, nil
}

// bodies downloads whole mails as long as there are any. idle says that none
// came for max_idle_seconds, or that taking is done. Mail that goes alone has a
// download of its own: only then a body that is not told whose it is can be taken.
func (l *lane) bodies(taking, hard context.Context, conn *imapconn.Conn, publications *errgroup.Group) (idle bool, err error) {
	options := imapconn.FetchOptions{Depth: pipelined}
	next := func(ctx context.Context) (batch []imapconn.MailInfo, more bool) {
		batch, idle = l.next(taking, ctx.Done())
		return batch, len(batch) > 0
	}
	if l.backlog.lone(l.kind) {
		options.Depth, next = 1, l.once(taking)
	}
	fetching, fail := context.WithCancelCause(hard)
	defer fail(nil)
	r := &reception{lane: l, ctx: hard, publications: publications, fail: fail}
	err = conn.Fetch(fetching, options, next, r.each, r.finished)
	r.flush() // what came in full is good
	if err != nil {
		return false, transferFailure(err)
	}
	return idle || taking.Err() != nil, nil
}

// once gives one batch.
func (l *lane) once(taking context.Context) func(context.Context) ([]imapconn.MailInfo, bool) {
	given := false
	return func(context.Context) ([]imapconn.MailInfo, bool) {
		if given || taking.Err() != nil {
			return nil, false
		}
		given = true
		batch := l.take(l.kind)
		return batch, len(batch) > 0
	}
}

// next takes the next batch, waiting for one up to max_idle_seconds. Oversize
// mails and mail that goes alone end the wait: they are asked for in between.
func (l *lane) next(taking context.Context, failed <-chan struct{}) (batch []imapconn.MailInfo, idle bool) {
	t := time.NewTimer(time.Duration(l.view.Mailbox.Document.MaxIdleSeconds) * time.Second)
	defer t.Stop()
	for taking.Err() == nil {
		change := l.backlog.change()
		if l.backlog.lone(l.kind) || l.kind == large && l.backlog.takeable(oversize) {
			return nil, false
		}
		if batch := l.take(l.kind); len(batch) > 0 {
			return batch, false
		}
		select {
		case <-change:
		case <-taking.Done():
		case <-failed:
			return nil, false
		case <-t.C:
			return nil, true
		}
	}
	return nil, true
}

func (l *lane) take(k kind) []imapconn.MailInfo {
	batch := l.backlog.take(k)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches++
	for _, m := range batch {
		l.open[m.UID] = &claim{info: m, batch: l.batches}
	}
	return batch
}

func (l *lane) began(uid uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.open[uid]; c != nil {
		c.began = true
	}
}

func (l *lane) came(uid uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.open[uid]; c != nil {
		c.came = true
	}
}

// settled says that mails are no longer the lane's to give back.
func (l *lane) settled(uids []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, uid := range uids {
		delete(l.open, uid)
	}
}

var errNoBody = errors.New("the server lists the mail and sends no body for it")

// missed handles the mails of a finished download whose body did not come: they
// left the inbox in the meantime, or the server keeps them back. The next
// listing tells which; those that are still there go alone from then on.
func (l *lane) missed(batch []imapconn.MailInfo, missing []uint32) {
	if len(missing) == 0 {
		return
	}
	var infos []imapconn.MailInfo
	for _, m := range batch {
		if slices.Contains(missing, m.UID) {
			infos = append(infos, m)
		}
	}
	l.settled(missing)
	l.backlog.missed(infos, errNoBody)
	l.session.conn.Wake()
}

// A transferError ended a connection while mails were on their way over it.
type transferError struct{ error }

func (e *transferError) Unwrap() error { return e.error }

// An unstoredError says that a mail came and there was no place for it, which is
// not the mail's fault.
type unstoredError struct{ error }

func (e *unstoredError) Unwrap() error { return e.error }

func transferFailure(err error) error {
	var unstored *unstoredError
	if errors.As(err, &unstored) || imapconn.KindOf(err) == imapconn.KindThrottled {
		return err
	}
	return &transferError{err}
}

// giveBack returns to the backlog what was taken and not published when a
// download ended. A broken connection counts against the mails that were on
// their way: one of them may be what breaks it.
func (l *lane) giveBack(err error) {
	suspects, others, began := l.release(err)
	var tooLarge *imapconn.TooLargeError
	if errors.As(err, &tooLarge) {
		suspects, others = l.grown(tooLarge, suspects, others)
	}
	l.backlog.putBack(others)
	l.backlog.failed(suspects, err, began)
}

// grown puts right the size of the mail of which the server announced less, and
// takes it off the suspects: now it is known, its body is left alone.
func (l *lane) grown(e *imapconn.TooLargeError, suspects, others []imapconn.MailInfo) (rest, withIt []imapconn.MailInfo) {
	for i, m := range suspects {
		if m.UID == e.UID || e.UID == 0 && len(suspects) == 1 {
			m.Size = max(e.Size, l.backlog.maxMail+1)
			return slices.Delete(suspects, i, i+1), append(others, m)
		}
	}
	return suspects, others
}

// release empties open. Suspects are the mails that were on their way when a
// transfer failed: those of the oldest unfinished batch that did not come. The
// batches behind it were only asked for. began says that the server had begun
// to send that batch.
func (l *lane) release(err error) (suspects, others []imapconn.MailInfo, began bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	failed := 0
	var transfer *transferError
	if errors.As(err, &transfer) {
		for _, c := range l.open {
			if !c.came && (failed == 0 || c.batch < failed) {
				failed = c.batch
			}
		}
	}
	for _, uid := range slices.Sorted(maps.Keys(l.open)) {
		c := l.open[uid]
		began = began || c.batch == failed && (c.began || c.came)
		if c.batch == failed && !c.came {
			suspects = append(suspects, c.info)
		} else {
			others = append(others, c.info)
		}
	}
	clear(l.open)
	return suspects, others, began
}

func ignoreClosed(closing, before error) error {
	if before != nil {
		return nil
	}
	return closing
}
