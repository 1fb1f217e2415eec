package lease

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	longestProtocolLog = time.Hour // that a protocol log stays switched on
	protocolLines      = 2000      // that are kept of one mailbox
	protocolKept       = time.Hour // for which they are kept after the end
)

// A MailboxID names a mailbox.
type MailboxID struct{ Tenant, Mailbox string }

// A ProtocolLine is a line that was said on a connection to a mail server,
// redacted before it came here.
type ProtocolLine struct {
	Seq        int64     `json:"seq,omitempty"` // ascends; given by AppendProtocol
	At         time.Time `json:"at"`
	Replica    string    `json:"replica"`
	Connection string    `json:"connection"` // which one, such as "watch 3f2a"
	Direction  string    `json:"direction"`  // "C" client, "S" server, "-" a remark
	Text       string    `json:"text"`
}

func (c *Client) protocolKey() string { return c.prefix + "protocol" }
func (c *Client) protocolLogKey(tenant, mailbox string) string {
	return fmt.Sprintf("%sprotocol:{%s/%s}", c.prefix, tenant, mailbox)
}
func (c *Client) protocolLinesKey(tenant, mailbox string) string {
	return c.protocolLogKey(tenant, mailbox) + ":lines"
}

// SwitchProtocolLog switches the protocol log of a mailbox on, until then but
// for an hour at most; the zero time switches it off.
func (c *Client) SwitchProtocolLog(ctx context.Context, tenant, mailbox string, until time.Time) error {
	var end int64
	if !until.IsZero() {
		end = until.UnixMilli()
	}
	keys := []string{c.protocolKey(), c.protocolLogKey(tenant, mailbox)}
	_, err := c.eval(ctx, switchScript, keys, tenant+"/"+mailbox, end, longestProtocolLog.Milliseconds(), protocolKept.Milliseconds())
	if err != nil {
		return fmt.Errorf("switching the protocol log of %s/%s: %w", tenant, mailbox, err)
	}
	return nil
}

// ProtocolLogs returns the mailboxes whose protocol log is on, each with its end.
func (c *Client) ProtocolLogs(ctx context.Context) (map[MailboxID]time.Time, error) {
	cmd, err := c.eval(ctx, switchedScript, []string{c.protocolKey()})
	var texts []string
	if err == nil {
		texts, err = cmd.StringSlice()
	}
	if err != nil {
		return nil, fmt.Errorf("reading which protocol logs are on: %w", err)
	}
	on := make(map[MailboxID]time.Time, len(texts)/2)
	for pair := range slices.Chunk(texts, 2) {
		until, err := milliseconds(pair[len(pair)-1])
		if err != nil {
			return nil, fmt.Errorf("reading which protocol logs are on: %w", err)
		}
		tenant, mailbox, _ := strings.Cut(pair[0], "/")
		on[MailboxID{tenant, mailbox}] = until
	}
	return on, nil
}

// AppendProtocol adds lines to the protocol log of a mailbox, if it is on. The
// newest 2000 are kept, until an hour after its end.
func (c *Client) AppendProtocol(ctx context.Context, tenant, mailbox string, lines []ProtocolLine) error {
	keys := []string{c.protocolKey(), c.protocolLinesKey(tenant, mailbox)}
	for part := range slices.Chunk(lines, batch) {
		args := []any{tenant + "/" + mailbox, protocolLines, protocolKept.Milliseconds()}
		for _, line := range part {
			text, err := json.Marshal(line)
			if err != nil {
				return fmt.Errorf("adding to the protocol log of %s/%s: %w", tenant, mailbox, err)
			}
			args = append(args, string(text))
		}
		if _, err := c.eval(ctx, appendScript, keys, args...); err != nil {
			return fmt.Errorf("adding to the protocol log of %s/%s: %w", tenant, mailbox, err)
		}
	}
	return nil
}

// ProtocolLog returns the lines of a mailbox's protocol log that came after the
// one numbered after (0: all), and until when it is on: the zero time when it is off.
func (c *Client) ProtocolLog(ctx context.Context, tenant, mailbox string, after int64) (lines []ProtocolLine, until time.Time, err error) {
	keys := []string{c.protocolLogKey(tenant, mailbox), c.protocolLinesKey(tenant, mailbox)}
	cmd, err := c.eval(ctx, protocolScript, keys, after, protocolKept.Milliseconds())
	var texts []string
	if err == nil {
		texts, err = cmd.StringSlice()
	}
	if err == nil {
		lines, until, err = readProtocol(texts)
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("reading the protocol log of %s/%s: %w", tenant, mailbox, err)
	}
	return lines, until, nil
}

// readProtocol reads an end and lines with their numbers before them.
func readProtocol(texts []string) (lines []ProtocolLine, until time.Time, err error) {
	if until, err = milliseconds(texts[0]); err != nil {
		return nil, until, err
	}
	for _, text := range texts[1:] {
		number, value, _ := strings.Cut(text, " ")
		var line ProtocolLine
		if err := json.Unmarshal([]byte(value), &line); err != nil {
			return nil, until, err
		}
		if line.Seq, err = strconv.ParseInt(number, 10, 64); err != nil {
			return nil, until, err
		}
		lines = append(lines, line)
	}
	return lines, until, nil
}

// milliseconds reads a time; 0 is the zero time.
func milliseconds(text string) (time.Time, error) {
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ms == 0 {
		return time.Time{}, err
	}
	return time.UnixMilli(ms).UTC(), nil
}

// deleteProtocol forgets the protocol log of a mailbox.
func (c *Client) deleteProtocol(ctx context.Context, p redis.Pipeliner, tenant, mailbox string) {
	p.ZRem(ctx, c.protocolKey(), tenant+"/"+mailbox)
	p.Del(ctx, c.protocolLogKey(tenant, mailbox), c.protocolLinesKey(tenant, mailbox))
}
