package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/schemas"
)

// Blobs holds mail that is too large to travel inline (claim check): objects
// in the bucket MAILBLOB, gone after 24 hours. Put before the message that
// names it is published; Delete after the mail is complete.
// It is safe for concurrent use.
type Blobs struct {
	conn    *Conn
	store   jetstream.ObjectStore
	reading chan struct{} // one place per open reader
	step    time.Duration // how long the store may take for one step of a Put
}

const (
	// maxReaders bounds the readers of one Blobs: the server sends each up to
	// 32 MiB ahead.
	maxReaders = 4
	// blobTimeout bounds one Get up to Close, when the context has no deadline.
	blobTimeout = 5 * time.Minute
)

// Blobs returns the claim-check store. Get one for each connection and keep it.
func (c *Conn) Blobs(ctx context.Context) (*Blobs, error) {
	store, err := c.js.ObjectStore(ctx, schemas.BucketBlob)
	if err != nil {
		return nil, fmt.Errorf("opening the blob bucket: %w", classify(err))
	}
	return &Blobs{conn: c, store: store, reading: make(chan struct{}, maxReaders), step: requestTimeout}, nil
}

// Get opens an object. At most four readers of a Blobs are open at once; Get
// waits for its turn until ctx ends. The whole object has to be read, up to
// io.EOF, within five minutes or ctx's deadline; only then its SHA-256 is
// verified: a wrong one, or a short object, makes the last Read fail. Close
// the reader. ErrBlobMissing: there is no such object.
func (b *Blobs) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	select {
	case b.reading <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("getting blob %s: waiting for a turn: %w", name, ctx.Err())
	}
	ctx, cancel := withTimeout(ctx, blobTimeout)
	object, err := b.store.Get(ctx, name)
	if err != nil {
		cancel()
		<-b.reading
		if missing(err) {
			return nil, fmt.Errorf("getting blob %s: %w: %w", name, ErrBlobMissing, err)
		}
		return nil, fmt.Errorf("getting blob %s: %w", name, classify(err))
	}
	return &blobReader{name: name, object: object, cancel: cancel, reading: b.reading}, nil
}

// Exists tells whether there is an object of that name.
func (b *Blobs) Exists(ctx context.Context, name string) (bool, error) {
	_, err := b.store.GetInfo(ctx, name)
	if missing(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for blob %s: %w", name, classify(err))
	}
	return true, nil
}

// Delete removes an object. One that is not there is a success.
func (b *Blobs) Delete(ctx context.Context, name string) error {
	if err := b.store.Delete(ctx, name); err != nil && !missing(err) {
		return fmt.Errorf("deleting blob %s: %w", name, classify(err))
	}
	return nil
}

func missing(err error) bool {
	return errors.Is(err, jetstream.ErrObjectNotFound) || errors.Is(err, jetstream.ErrBucketNotFound) || errors.Is(err, jetstream.ErrStreamNotFound)
}

func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}
