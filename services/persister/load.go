package persister

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strconv"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// A work is one classified mail on its way through a batch.
type work struct {
	message *bus.Message
	event   schemas.MailClassified
	mail    mailstore.Mail
	outcome mailstore.Outcome
}

// announcedSize returns the mail's size in bytes, without decoding the message.
func announcedSize(m *bus.Message) int64 {
	n, err := strconv.ParseInt(cloudevents.Attribute(m.Header(), "size"), 10, 64)
	if err != nil || n < 0 {
		return int64(len(m.Payload()))
	}
	return n
}

// errGone says that the mail's blob is no longer there: it has to be fetched again.
var errGone = errors.New("the mail's blob is gone")

// load decodes a message, takes the mail out of its blob if it has one, and
// parses it. Parsing never fails; a panic in it is an error of this mail alone.
func (l *lane) load(ctx context.Context, m *bus.Message) (w *work, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("parsing mail: panic: %v\n%s", p, debug.Stack())
		}
	}()
	w = &work{message: m}
	if err := m.Decode(&w.event); err != nil {
		return nil, fault.Permanent(err)
	}
	if m.Deliveries() >= parkAfter {
		return nil, fault.Permanent(fmt.Errorf("persisting %s: delivered %d times without an outcome", w.event.Key(), m.Deliveries()))
	}
	raw := w.event.Data.Mail
	if w.event.DataRef != "" {
		if raw, err = l.blob(ctx, w.event.DataRef, w.event.Size); err != nil {
			return w, fmt.Errorf("persisting %s: %w", w.event.Key(), err)
		}
	}
	w.mail = mailstore.Mail{
		Key: w.event.Key(), Origin: w.event.Origin, Lane: w.event.Lane, Size: w.event.Size, SHA256: w.event.SHA256,
		InternalDate: w.event.InternalDate, FetchedAt: w.event.FetchedAt,
		Decision: w.event.Data.Decision, Message: message.Parse(raw, message.DefaultLimits()), Raw: raw,
	}
	return w, nil
}

func (l *lane) blob(ctx context.Context, name string, size int64) ([]byte, error) {
	r, err := l.blobs.Get(ctx, name)
	if errors.Is(err, bus.ErrBlobMissing) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw := make([]byte, size)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, fmt.Errorf("reading blob %s: %w", name, err)
	}
	// One more read reaches the end, where the object store compares the digest.
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return nil, fmt.Errorf("reading blob %s: it does not end after %d bytes: %w", name, size, err)
	}
	return raw, nil
}
