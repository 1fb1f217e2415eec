package imapconn

import (
	"errors"
	"fmt"
	"io"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// consume takes the answers to one command.
func (f *fetch) consume(cmd *fetchCommand, sent *imapclient.FetchCommand) {
	for msg := sent.Next(); msg != nil; msg = sent.Next() {
		complete := len(cmd.want) == 0
		if !f.message(cmd, msg) {
			return
		}
		if !complete && len(cmd.want) == 0 {
			f.leave(cmd)
		}
	}
	err := sent.Close()
	f.mu.Lock()
	if f.untagged--; f.untagged == 0 {
		f.draining = false
	}
	f.changed.Broadcast()
	f.mu.Unlock()
	switch {
	case f.ctx.Err() != nil:
	case f.fatal(cmd, err):
		f.fail(err)
	case len(cmd.want) > 0:
		f.leave(cmd)
	}
}

// fatal reports whether the end of a command ends the download. A plain NO does
// not: servers give it for the one mail that they cannot read.
func (f *fetch) fatal(cmd *fetchCommand, err error) bool {
	var no *imap.Error
	if errors.As(err, &no) && no.Type == imap.StatusResponseTypeNo {
		if _, wait := mailhost.Throttled(string(no.Code), no.Text); !wait {
			f.conn.log.Warn("server refused to send mails", zap.String("text", mailhost.CleanText(no.Text)), zap.Int("missing", len(cmd.want)))
			return false
		}
	}
	return err != nil
}

// message takes one FETCH response. It returns false when the connection ended
// in the middle: go-imap must not be asked for more then, it would read what its
// own reader reads.
func (f *fetch) message(cmd *fetchCommand, msg *imapclient.FetchMessageData) bool {
	var uid uint32
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = uint32(item.UID)
		case imapclient.FetchItemDataBodySection:
			info, wanted := cmd.want[uid]
			if !wanted || item.Literal == nil {
				continue
			}
			f.mu.Lock()
			f.latest = max(f.latest, cmd.number)
			f.mu.Unlock()
			info.Size = item.Literal.Size()
			r := &bodyReader{literal: item.Literal, left: info.Size}
			if f.mail(info, r) {
				delete(cmd.want, uid)
			} else if r.err != nil && r.err != io.EOF {
				return false
			}
		}
	}
	return true
}

// mail hands one mail to the caller and reports whether it came in full.
func (f *fetch) mail(info MailInfo, r *bodyReader) bool {
	f.calls.Lock()
	defer f.calls.Unlock()
	if f.ctx.Err() != nil {
		return false
	}
	err := f.each(info, r)
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	switch {
	case err == nil:
		return true
	case r.err != nil && r.err != io.EOF:
		f.fail(r.err) // the caller only passed on what the connection said
	default:
		f.ofEach.Store(true)
		f.fail(fmt.Errorf("taking mail with UID %d of %s: %w", info.UID, f.conn.target.Name(), err))
	}
	return false
}

// fail ends the download: only a closed connection makes go-imap let go.
func (f *fetch) fail(err error) {
	if !f.ofEach.Load() {
		err = f.conn.explain(downloading, err)
	}
	f.cancel(err)
	f.conn.guard.kill(err)
}

// A bodyReader gives exactly as many bytes as were announced, or fails.
type bodyReader struct {
	literal io.Reader
	left    int64
	err     error // kept
}

func (r *bodyReader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.literal.Read(p)
	r.left -= int64(n)
	if err == io.EOF && r.left != 0 {
		err = io.ErrUnexpectedEOF
	}
	r.err = err
	return n, err
}
