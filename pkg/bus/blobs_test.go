package bus_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

func putBlob(t *testing.T, b *bus.Blobs, name string, size int) []byte {
	t.Helper()
	data := make([]byte, size)
	must(rand.Read(data))(t)
	if n := must(b.Put(testContext(t), name, bytes.NewReader(data)))(t); n != int64(size) {
		t.Fatalf("Put says %d bytes; want %d", n, size)
	}
	return data
}

func testBlobs(t *testing.T, srv *bustest.Server) {
	b := must(srv.Connect(t, "test", nil).Blobs(testContext(t)))(t)
	ctx := testContext(t)
	for _, size := range []int{0, 1, 128 << 10, 3_000_001} {
		name := fmt.Sprint("mail-", size)
		want := putBlob(t, b, name, size)
		r := must(b.Get(ctx, name))(t)
		if got := must(io.ReadAll(r))(t); !bytes.Equal(got, want) {
			t.Errorf("%d bytes came back as other %d bytes", size, len(got))
		}
		check(t, r.Close())
		check(t, r.Close())
		check(t, b.Delete(ctx, name))
		check(t, b.Delete(ctx, name))
		if _, err := b.Get(ctx, name); !errors.Is(err, bus.ErrBlobMissing) {
			t.Errorf("getting a deleted blob gave %v; want ErrBlobMissing", err)
		}
	}
	if _, err := b.Get(ctx, "never-put"); !errors.Is(err, bus.ErrBlobMissing) {
		t.Errorf("getting a blob that never was gave %v; want ErrBlobMissing", err)
	}
	check(t, b.Delete(ctx, "never-put"))
}

// Two downloads of one mail: the second one counts, and only its bytes stay.
func testBlobReplaced(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	b := must(c.Blobs(testContext(t)))(t)
	putBlob(t, b, "mail", 600<<10)
	want := putBlob(t, b, "mail", 200<<10)
	r := must(b.Get(testContext(t), "mail"))(t)
	if got := must(io.ReadAll(r))(t); !bytes.Equal(got, want) {
		t.Error("the second object is not the one that is there")
	}
	check(t, r.Close())
	if n := messagesIn(t, c, "OBJ_"+schemas.BucketBlob); n != 3 {
		t.Errorf("the bucket holds %d messages; want 2 chunks and the description", n)
	}
	// What we write is an object for every other client, too.
	info := must(must(c.JetStream().ObjectStore(testContext(t), schemas.BucketBlob))(t).GetInfo(testContext(t), "mail"))(t)
	if info.Size != 200<<10 || info.Chunks != 2 {
		t.Errorf("the object is described as %+v", info)
	}
}

func testBlobPutFails(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	b := must(c.Blobs(testContext(t)))(t)
	ctx := testContext(t)
	cut := errors.New("the literal was cut off")
	r := io.MultiReader(bytes.NewReader(make([]byte, 300<<10)), iotest.ErrReader(cut))
	if _, err := b.Put(ctx, "half", r); !errors.Is(err, cut) || fault.IsUnavailable(err) {
		t.Errorf("Put gave %v; want the reader's error, which does not mean that the store is away", err)
	}
	for _, cut := range []error{io.ErrUnexpectedEOF, io.ErrNoProgress} {
		if _, err := b.Put(ctx, "half", io.MultiReader(bytes.NewReader([]byte("x")), iotest.ErrReader(cut))); !errors.Is(err, cut) {
			t.Errorf("Put gave %v; want %v", err, cut)
		}
	}
	if ok := must(b.Exists(ctx, "half"))(t); ok || messagesIn(t, c, "OBJ_"+schemas.BucketBlob) != 0 {
		t.Error("half a mail was stored")
	}
}

// A mail may take longer to come than the store may take for a step: a slow
// line is no reason to give a download up, a store that does not answer is.
func testBlobSlowReader(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	b := must(c.Blobs(testContext(t)))(t)
	const step = 2 * time.Second // far more than the store takes, on a busy machine too
	b.AllowPerStep(step)
	slow := readerFunc(func(p []byte) (int, error) {
		<-time.After(step / 8)
		return copy(p, make([]byte, 64<<10)), nil
	})
	const size = 700 << 10
	if n := must(b.Put(testContext(t), "slow", io.LimitReader(slow, size)))(t); n != size {
		t.Errorf("Put says %d bytes; want %d", n, size)
	}
	var silenced bool
	silencing := readerFunc(func(p []byte) (int, error) {
		if !silenced {
			silenced = true
			check(t, c.JetStream().DeleteStream(testContext(t), "OBJ_"+schemas.BucketBlob))
			must(c.NATS().Subscribe("$O."+schemas.BucketBlob+".>", func(m *nats.Msg) { // answers too late
				time.AfterFunc(2*step, func() { _ = m.Respond([]byte(`{"error":{"code":500}}`)) })
			}))(t)
		}
		return len(p), nil
	})
	began := time.Now()
	_, err := b.Put(testContext(t), "silent", io.LimitReader(silencing, 3<<20))
	if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || !fault.IsUnavailable(err) || took > patience/2 {
		t.Errorf("putting into a store that does not answer gave %v after %s; want unavailable", err, took)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func testBlobFull(t *testing.T, srv *bustest.Server) {
	alter(t, srv, func(s *jetstream.StreamConfig) {
		if s.Name == "OBJ_"+schemas.BucketBlob {
			s.MaxBytes = 1 << 20
		}
	}, nil)
	b := must(srv.Connect(t, "test", nil).Blobs(testContext(t)))(t)
	putBlob(t, b, "first", 600<<10)
	_, err := b.Put(testContext(t), "second", bytes.NewReader(make([]byte, 600<<10)))
	if !errors.Is(err, bus.ErrFull) || !fault.IsUnavailable(err) {
		t.Errorf("putting into a full bucket gave %v; want ErrFull, unavailable", err)
	}
	check(t, b.Delete(testContext(t), "first"))
	putBlob(t, b, "second", 600<<10)
}

func testBlobCorrupted(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	b := must(c.Blobs(testContext(t)))(t)
	putBlob(t, b, "mail", 300<<10)
	// Replace the last chunk by another of the same size.
	chunk := last(t, c, "OBJ_"+schemas.BucketBlob, "$O."+schemas.BucketBlob+".C.>")
	stream := must(c.JetStream().Stream(testContext(t), "OBJ_"+schemas.BucketBlob))(t)
	check(t, stream.DeleteMsg(testContext(t), chunk.Sequence))
	must(c.JetStream().Publish(testContext(t), chunk.Subject, make([]byte, len(chunk.Data))))(t)
	r := must(b.Get(testContext(t), "mail"))(t)
	defer r.Close()
	if _, err := io.ReadAll(r); !errors.Is(err, jetstream.ErrDigestMismatch) {
		t.Errorf("reading a corrupted blob gave %v; want a digest mismatch", err)
	}
}

func testBlobReaders(t *testing.T, srv *bustest.Server) {
	b := must(srv.Connect(t, "test", nil).Blobs(testContext(t)))(t)
	putBlob(t, b, "mail", 500_000)
	var open []io.ReadCloser
	for range 4 {
		open = append(open, must(b.Get(testContext(t), "mail"))(t))
	}
	ctx, cancel := context.WithTimeout(testContext(t), 100*time.Millisecond)
	defer cancel()
	if _, err := b.Get(ctx, "mail"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a fifth reader: %v; want to wait for its turn", err)
	}
	check(t, open[0].Close()) // without reading it
	fifth := must(b.Get(testContext(t), "mail"))(t)
	for _, r := range append(open[1:], fifth) {
		if n := must(io.Copy(io.Discard, r))(t); n != 500_000 {
			t.Errorf("read %d bytes", n)
		}
		check(t, r.Close())
	}
}
