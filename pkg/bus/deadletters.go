package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// DeadQuery selects dead letters. Empty fields select all. Letters of which it
// is not known whose they are show only when no tenant is asked for.
type DeadQuery struct {
	Tenant  string
	Mailbox string
	Stage   schemas.Stage
	Limit   int    // at most MaxDeadLetters, which is also what 0 means
	Before  uint64 // only letters of a lower sequence: the next page
}

// MaxDeadLetters is the most that DeadLetters returns at once.
const MaxDeadLetters = 500

// A DeadLetter is a message that a stage gave up.
type DeadLetter struct {
	Sequence uint64    `json:"-"` // names it: see Replay and DropDead; it counts those of all tenants
	At       time.Time `json:"at"`
	schemas.MailDead
}

// DeadLetters returns the dead letters that match, newest first, without the
// messages that were given up (Data is empty); see DeadLetter.
func (c *Conn) DeadLetters(ctx context.Context, q DeadQuery) ([]DeadLetter, error) {
	filter, ok := q.filter()
	if !ok {
		return nil, nil
	}
	stream, err := c.js.Stream(ctx, schemas.StreamDead)
	if err != nil {
		return nil, fmt.Errorf("listing dead letters: %w", classify(err))
	}
	limit := q.Limit
	if limit <= 0 || limit > MaxDeadLetters {
		limit = MaxDeadLetters
	}
	state := stream.CachedInfo().State
	end := state.LastSeq + 1 // not included
	if q.Before > 0 {
		end = min(end, q.Before)
	}
	var found []DeadLetter
	// JetStream reads forwards only: look at a window at the end, then at ever
	// larger ones before it.
	for width := uint64(2 * limit); len(found) < limit && end > state.FirstSeq; width *= 2 {
		start := state.FirstSeq
		if end-start > width {
			start = end - width
		}
		window, err := c.deadBetween(ctx, stream, filter, start, end, limit)
		if err != nil {
			return nil, fmt.Errorf("listing dead letters: %w", classify(err))
		}
		slices.Reverse(window)
		found = append(found, window...)
		end = start
	}
	return found[:min(limit, len(found))], nil
}

// filter returns the subjects of the letters; false when no letter can match.
// What is no id could be a wildcard, and select the letters of others.
func (q DeadQuery) filter() (string, bool) {
	for _, id := range []string{q.Tenant, q.Mailbox, string(q.Stage)} {
		if id != "" && !validID(id) {
			return "", false
		}
	}
	if q.Tenant == unknownID {
		return "", false
	}
	return schemas.SubjectDead(schemas.Stage(orAny(string(q.Stage))), orAny(q.Tenant), orAny(q.Mailbox)), true
}

func orAny(s string) string {
	if s == "" {
		return "*"
	}
	return s
}

// deadBetween returns the last limit letters from start up to, not including,
// end: a window may hold all that there are.
func (c *Conn) deadBetween(ctx context.Context, stream jetstream.Stream, filter string, start, end uint64, limit int) (letters []DeadLetter, err error) {
	config := jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: max(start, 1),
		FilterSubject: filter, HeadersOnly: true,
	}
	err = c.scan(ctx, stream, config, nil, func(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
		if meta.Sequence.Stream >= end {
			return false
		}
		letters = append(lastOf(letters, limit), summary(msg, meta))
		return true
	})
	return letters[max(0, len(letters)-limit):], err
}

// summary decodes the headers of a letter. What is not readable stays empty:
// the letter must show in the list all the same.
func summary(msg jetstream.Msg, meta *jetstream.MsgMetadata) DeadLetter {
	d := DeadLetter{Sequence: meta.Sequence.Stream, At: meta.Timestamp}
	empty, err := schemas.NATSMessage{}.MarshalBinary()
	if err == nil {
		err = cloudevents.Decode(msg.Headers(), empty, &d.MailDead)
	}
	if err != nil {
		d.Error = errorText(fmt.Errorf("the dead letter cannot be read: %w", err))
	}
	return d
}

// DeadLetter returns one dead letter with the message that was given up.
// ErrNotFound: there is none of that sequence.
func (c *Conn) DeadLetter(ctx context.Context, sequence uint64) (DeadLetter, error) {
	raw, err := c.deadMessage(ctx, sequence)
	if err != nil {
		return DeadLetter{}, deadError("reading", sequence, err)
	}
	return decodeDead(raw)
}

func (c *Conn) deadMessage(ctx context.Context, sequence uint64) (*jetstream.RawStreamMsg, error) {
	if sequence == 0 { // JetStream would take it for a request without a sequence
		return nil, jetstream.ErrMsgNotFound
	}
	stream, err := c.js.Stream(ctx, schemas.StreamDead)
	if err != nil {
		return nil, err
	}
	return stream.GetMsg(ctx, sequence)
}

func decodeDead(raw *jetstream.RawStreamMsg) (DeadLetter, error) {
	d := DeadLetter{Sequence: raw.Sequence, At: raw.Time}
	if err := cloudevents.Decode(raw.Header, raw.Data, &d.MailDead); err != nil {
		return DeadLetter{}, deadError("reading", raw.Sequence, err)
	}
	return d, nil
}

// DropDead deletes a dead letter. Its mail stays parked, so that it is not
// fetched again, until the parked key expires after 30 days; Replay is what
// brings a mail back. ErrNotFound: there is none of that sequence.
func (c *Conn) DropDead(ctx context.Context, sequence uint64) error {
	if sequence == 0 {
		return deadError("deleting", sequence, jetstream.ErrMsgNotFound)
	}
	stream, err := c.js.Stream(ctx, schemas.StreamDead)
	if err == nil {
		err = deleteMessage(ctx, stream, sequence)
	}
	if err != nil {
		return deadError("deleting", sequence, err)
	}
	return nil
}

// deleteMessage returns ErrMsgNotFound when there is no such message, which the
// library hides in a text.
func deleteMessage(ctx context.Context, stream jetstream.Stream, sequence uint64) error {
	err := stream.DeleteMsg(ctx, sequence)
	if errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
		if _, getErr := stream.GetMsg(ctx, sequence); errors.Is(getErr, jetstream.ErrMsgNotFound) {
			return getErr
		}
	}
	return err
}

func deadError(doing string, sequence uint64, err error) error {
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		err = fmt.Errorf("%w: %w", ErrNotFound, err)
	} else {
		err = classify(err)
	}
	return fmt.Errorf("%s dead letter %s: %w", doing, strconv.FormatUint(sequence, 10), err)
}
