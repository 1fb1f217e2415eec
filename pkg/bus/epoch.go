package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/mailyard/mailyard/schemas"
)

// epochStreams are the streams that hold a mail between fetch and disposal.
func epochStreams() []string {
	return []string{
		schemas.StreamFetchedLight, schemas.StreamFetchedLarge,
		schemas.StreamClassifiedLight, schemas.StreamClassifiedLarge,
		schemas.StreamDispose, schemas.StreamRetry,
	}
}

// Epoch returns a text that changes whenever one of the streams that hold mail
// in flight was created anew, because the NATS store was lost. Marks of mail in
// flight that were made in another epoch mean nothing. It stays the same when
// the server restarts or limits change.
func (c *Conn) Epoch(ctx context.Context) (string, error) {
	h := sha256.New()
	for _, name := range epochStreams() {
		stream, err := c.js.Stream(ctx, name)
		if err != nil {
			return "", fmt.Errorf("reading the epoch of stream %s: %w", name, classify(err))
		}
		fmt.Fprintf(h, "%s %d\n", name, stream.CachedInfo().Created.UnixNano())
	}
	return hex.EncodeToString(h.Sum(nil))[:epochLength], nil
}

const epochLength = 16
