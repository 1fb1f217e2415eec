package imapconn

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/emersion/go-imap/v2"
)

// FetchOptions tune a download.
type FetchOptions struct {
	Depth int // UID FETCH commands under way at once, 1-16; default 2. More hides the round trip
}

// maxUntagged is how many commands may have sent all their mails and not yet
// their tagged OK: Dovecot holds the OK back while more commands wait.
const maxUntagged = 32

const downloading = "downloading mails"

// Fetch downloads mails from the selected folder without marking them \Seen.
//
// next gives the mails batch by batch; it may block until there is a batch, its
// context ends when the download fails, and false ends the download. A mail of
// which no body comes (a server may leave one out, or send a wrong answer) is
// told to done in missing: look with Exists whether it is still there, and fetch
// it alone.
//
// each is called for every mail that comes, one at a time, on another goroutine
// than the caller's. Size in its MailInfo is the size of what is coming. Its
// reader fails unless exactly these bytes arrive; what it does not read is
// skipped. An error from it ends download and connection.
//
// done is called once for every batch that came to its end; never beside each.
// When Fetch returns an error, the batches without a call were cut short: what
// each took in full is good.
func (c *Conn) Fetch(ctx context.Context, opts FetchOptions, next func(context.Context) ([]MailInfo, bool), each func(MailInfo, io.Reader) error, done func(batch []MailInfo, missing []uint32)) error {
	if c.selected.name == "" {
		return &Error{Op: downloading + " of " + c.target.Name(), Err: errors.New("no folder is selected")}
	}
	if opts.Depth <= 0 {
		opts.Depth = 2
	}
	c.guard.bulk.Store(true)
	defer c.guard.bulk.Store(false)
	defer c.guard.filter.seen.expect(0)
	fctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f := &fetch{conn: c, ctx: fctx, cancel: cancel, depth: min(opts.Depth, 16), each: each, done: done}
	f.changed.L = &f.mu
	stop := context.AfterFunc(fctx, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.changed.Broadcast()
	})
	defer stop()
	for fctx.Err() == nil {
		batch, more := next(fctx)
		if !more {
			break
		}
		f.send(batch)
	}
	f.consumers.Wait()
	if err := context.Cause(fctx); err != nil {
		c.guard.kill(err)
		var e *Error
		if errors.As(err, &e) || f.ofEach.Load() {
			return err
		}
		return c.explain(downloading, err)
	}
	return nil
}

// A fetch is one call of Fetch: a goroutine per command takes its answers.
type fetch struct {
	conn   *Conn
	ctx    context.Context // ends with the first failure, which is its cause
	cancel context.CancelCauseFunc
	depth  int
	each   func(MailInfo, io.Reader) error
	done   func([]MailInfo, []uint32)
	ofEach atomic.Bool // the failure is the caller's

	consumers sync.WaitGroup
	calls     sync.Mutex // held while each or done run

	mu       sync.Mutex
	changed  sync.Cond
	open     []*fetchCommand // sent, mails still to come, in order of sending
	untagged int             // sent, tagged response still to come
	draining bool            // no more commands until all are tagged
	sent     int             // commands
	latest   int             // number of the latest command of which a mail came
}

type fetchBatch struct {
	mails   []MailInfo
	missing []uint32
	open    int // commands with mails still to come
}

type fetchCommand struct {
	batch  *fetchBatch
	want   map[uint32]MailInfo
	number int
}

// send sends the commands for a batch, each as soon as there is room for it.
func (f *fetch) send(mails []MailInfo) {
	infos := make(map[uint32]MailInfo, len(mails))
	uids := make([]uint32, 0, len(mails))
	for _, m := range mails {
		infos[m.UID] = m
		uids = append(uids, m.UID)
	}
	uids = normalize(uids)
	parts := chunks(uids, len(uids))
	batch := &fetchBatch{mails: mails, open: len(parts)}
	if len(parts) == 0 {
		batch.open = 1
		f.finish(&fetchCommand{batch: batch})
	}
	for _, part := range parts {
		cmd := &fetchCommand{batch: batch, want: make(map[uint32]MailInfo, len(part))}
		for _, uid := range part {
			cmd.want[uid] = infos[uid]
		}
		if !f.refresh(part[len(part)-1]) || !f.enter(cmd) {
			return
		}
		var only uint32
		if len(part) == 1 && f.depth == 1 {
			only = part[0]
		}
		f.conn.guard.filter.seen.expect(only)
		end := f.conn.guard.begin(f.ctx, 0, f.conn.opts.StallTimeout)
		sent := f.conn.client.Fetch(uidSet(part), &imap.FetchOptions{
			UID:         true,
			BodySection: []*imap.FetchItemBodySection{{Peek: true}},
		})
		f.consumers.Go(func() {
			defer end()
			f.consume(cmd, sent)
		})
	}
}

// refresh makes sure that the server shows this connection the mails of the next
// command: when some are new to it, it has to end what it is doing first.
func (f *fetch) refresh(uid uint32) bool {
	if uid <= f.conn.selected.highest {
		return f.ctx.Err() == nil
	}
	f.mu.Lock()
	for f.ctx.Err() == nil && f.untagged > 0 {
		f.changed.Wait()
	}
	f.mu.Unlock()
	if err := f.conn.refresh(f.ctx, uid); err != nil {
		f.fail(err)
		return false
	}
	return true
}

// enter waits until there is room for one more command.
func (f *fetch) enter(cmd *fetchCommand) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.ctx.Err() == nil && (len(f.open) >= f.depth || f.draining || f.overtaken()) {
		f.changed.Wait()
	}
	if f.ctx.Err() != nil {
		return false
	}
	f.sent++
	cmd.number = f.sent
	f.open = append(f.open, cmd)
	f.untagged++
	f.draining = f.untagged >= maxUntagged
	return true
}

// overtaken reports whether mails came of a later command than the first that is
// still open: what the first lacks will not come any more, but its end is told
// only when the server has nothing else to do.
func (f *fetch) overtaken() bool { return len(f.open) > 0 && f.open[0].number < f.latest }

// leave takes a command whose mails all came, or will not come, off the open
// ones, and finishes its batch if it was the last of it. The room is given away
// only then: batches are finished about in the order in which they were sent.
func (f *fetch) leave(cmd *fetchCommand) {
	f.finish(cmd)
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.open, cmd); i >= 0 {
		f.open = slices.Delete(f.open, i, i+1)
	}
	f.changed.Broadcast()
}

func (f *fetch) finish(cmd *fetchCommand) {
	f.calls.Lock()
	defer f.calls.Unlock()
	batch := cmd.batch
	for uid := range cmd.want {
		batch.missing = append(batch.missing, uid)
	}
	if batch.open--; batch.open == 0 && f.ctx.Err() == nil && f.done != nil {
		slices.Sort(batch.missing)
		f.done(batch.mails, batch.missing)
	}
}
