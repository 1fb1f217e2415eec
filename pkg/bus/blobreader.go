package bus

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/fault"
)

type blobReader struct {
	name    string
	object  jetstream.ObjectResult
	cancel  context.CancelFunc
	reading chan struct{}
	once    sync.Once
}

func (r *blobReader) Read(p []byte) (int, error) {
	n, err := r.object.Read(p)
	if err != nil && err != io.EOF {
		// Cut off, or not what was put: what was read is worth nothing.
		err = fault.Unavailable(fmt.Errorf("reading blob %s: %w", r.name, err))
	}
	return n, err
}

func (r *blobReader) Close() error {
	var err error
	r.once.Do(func() {
		err = r.object.Close()
		r.cancel()
		<-r.reading
	})
	return err
}
