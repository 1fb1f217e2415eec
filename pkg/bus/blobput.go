package bus

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/schemas"
)

const (
	chunkBytes = 128 << 10
	// chunkWindow bounds the chunks of one Put that are not yet acknowledged,
	// and so its memory: the server takes 128 MiB ahead per stream, no more.
	chunkWindow  = 16
	purgeTimeout = 5 * time.Second
)

// Put stores what r yields under the name and returns its size in bytes. An
// object of that name is replaced. When r fails, nothing is stored and its
// error is returned as it is. ErrFull: the bucket has no room.
//
// It writes the object as NATS ADR-20 says, without the library's Put, which
// keeps 4,000 chunks in flight and at times leaves a goroutine behind. The store
// has ten seconds for each step; r has the time that it takes: a large mail on a
// slow line is for whoever reads the line to bound.
func (b *Blobs) Put(ctx context.Context, name string, r io.Reader) (int64, error) {
	old, err := b.find(ctx, name)
	if err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
		return 0, fmt.Errorf("putting blob %s: %w", name, classify(err))
	}
	info := jetstream.ObjectInfo{
		ObjectMeta: jetstream.ObjectMeta{Name: name, Opts: &jetstream.ObjectMetaOptions{ChunkSize: chunkBytes}},
		Bucket:     schemas.BucketBlob,
		NUID:       rand.Text(),
	}
	source := &remembering{r: r}
	if err = b.putChunks(ctx, &info, source); err == nil {
		err = b.putInfo(ctx, info)
	}
	switch {
	case err != nil:
		b.purge(ctx, info.NUID)
	case old != nil:
		b.purge(ctx, old.NUID)
	}
	if source.err != nil {
		return 0, source.err
	}
	if err != nil {
		return 0, fmt.Errorf("putting blob %s: %w", name, err)
	}
	return int64(info.Size), nil
}

// find returns the object of a name; ErrObjectNotFound when there is none.
func (b *Blobs) find(ctx context.Context, name string) (*jetstream.ObjectInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, b.step)
	defer cancel()
	return b.store.GetInfo(ctx, name)
}

// putChunk publishes a chunk as soon as there is room among what is not yet
// acknowledged.
func (b *Blobs) putChunk(ctx context.Context, nuid string, chunk []byte) (*Pending, error) {
	ctx, cancel := context.WithTimeout(ctx, b.step)
	defer cancel()
	return b.conn.publishAsync(ctx, &nats.Msg{Subject: chunkSubject(nuid), Data: chunk})
}

func (b *Blobs) settleChunk(ctx context.Context, p *Pending) error {
	ctx, cancel := context.WithTimeout(ctx, b.step)
	defer cancel()
	return p.Wait(ctx)
}

func (b *Blobs) putChunks(ctx context.Context, info *jetstream.ObjectInfo, source *remembering) error {
	hash := sha256.New()
	var window []*Pending
	defer func() { // after an error: a chunk must not be stored after the purge
		rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), purgeTimeout)
		defer cancel()
		for _, p := range window {
			_ = p.Wait(rest) // the first error is the one that is returned
		}
	}()
	settle := func(keep int) error {
		for ; len(window) > keep; window = window[1:] {
			if err := b.settleChunk(ctx, window[0]); err != nil {
				return err
			}
		}
		return nil
	}
	for end := false; !end; {
		chunk := make([]byte, chunkBytes)
		n, err := io.ReadFull(source, chunk)
		if source.err != nil {
			return source.err
		}
		end = err != nil // io.EOF or a last chunk that is not full
		if n == 0 {
			break
		}
		hash.Write(chunk[:n])
		p, err := b.putChunk(ctx, info.NUID, chunk[:n])
		if err != nil {
			return err
		}
		info.Size += uint64(n)
		info.Chunks++
		window = append(window, p)
		if err := settle(chunkWindow - 1); err != nil {
			return err
		}
	}
	info.Digest = jetstream.GetObjectDigestValue(hash)
	return settle(0)
}

// putInfo makes the object visible: it is the last message of an object.
func (b *Blobs) putInfo(ctx context.Context, info jetstream.ObjectInfo) error {
	data, err := json.Marshal(info)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.step)
	defer cancel()
	subject := "$O." + schemas.BucketBlob + ".M." + base64.URLEncoding.EncodeToString([]byte(info.Name))
	_, err = b.conn.publish(ctx, &nats.Msg{Subject: subject, Data: data, Header: nats.Header{jetstream.MsgRollup: {jetstream.MsgRollupSubject}}})
	return err
}

// purge removes the chunks of an object that is no more. When it cannot, the
// bucket's age limit does.
func (b *Blobs) purge(ctx context.Context, nuid string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), purgeTimeout)
	defer cancel()
	stream, err := b.conn.js.Stream(ctx, streamBlob)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject(chunkSubject(nuid)))
	}
	if err != nil {
		b.conn.logger.Warn("the chunks of a blob could not be removed; they expire", zap.Error(err))
	}
}

func chunkSubject(nuid string) string { return "$O." + schemas.BucketBlob + ".C." + nuid }

// remembering keeps the error of the reader it wraps, so that it is told from
// errors of the store.
type remembering struct {
	r   io.Reader
	err error
}

func (s *remembering) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}
