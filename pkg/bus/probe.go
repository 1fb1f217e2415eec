package bus

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

const probePrefix = "probe."

// probeToken is what crypto/rand.Text returns, in lower case. Nothing else is
// ever looked up: tokens come from the header fields of mail.
var probeToken = regexp.MustCompile(`^[a-z2-7]{26,52}$`)

// AnnounceProbe makes known that mail with this token is a test mail of the
// installation's own, for 30 days, in the bucket CONTROL. A token is secret until
// then, and drawn anew for each test: 26 to 52 lower-case letters and digits, as
// of crypto/rand.Text.
func (c *Conn) AnnounceProbe(ctx context.Context, token string) error {
	if !probeToken.MatchString(token) {
		return errors.New("announcing a test mail: its token is not 26 to 52 of a-z and 2-7")
	}
	p, err := c.publishAsync(ctx, &nats.Msg{Subject: probeSubject(token), Data: []byte("{}"), Header: nats.Header{jetstream.MsgTTLHeader: {parkedTTL.String()}}})
	if err == nil {
		err = p.Wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("announcing a test mail: %w", err)
	}
	return nil
}

// KnowsProbe reports whether AnnounceProbe was called with this token. Any text
// may be asked about. While the bucket cannot be asked, the error is
// fault.Unavailable.
func (c *Conn) KnowsProbe(ctx context.Context, token string) (bool, error) {
	if !probeToken.MatchString(token) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, bindTimeout)
	defer cancel()
	kv, err := c.js.KeyValue(ctx, schemas.BucketControl)
	if err == nil {
		_, err = kv.Get(ctx, probePrefix+token)
	}
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return false, nil
	case err != nil:
		return false, fault.Unavailable(fmt.Errorf("looking for a test mail: %w", err))
	}
	return true, nil
}

func probeSubject(token string) string {
	return "$KV." + schemas.BucketControl + "." + probePrefix + token
}

// asksForProbes is what KnowsProbe needs beside what AwaitTopology does.
func asksForProbes() []string {
	return []string{"$JS.API.DIRECT.GET." + streamControl + "." + probeSubject("*")}
}
