package fetcher

import (
	"errors"
	"io"
	"strings"
	"testing"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/mailyard/mailyard/pkg/imapconn"
)

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("out of range") }

func TestPanicOverOneMailIsItsFailure(t *testing.T) {
	t.Parallel()
	b := newTestBacklog(50)
	fill(b, mail(1, lightSize), mail(2, lightSize))
	l := claims(b)
	l.logger = zap.NewNop()
	l.session.mailbox = &mailbox{running: &running{memory: semaphore.NewWeighted(lightSize)}, tenant: tenant, id: "info"}
	l.take(light)
	r := &reception{lane: l, ctx: t.Context(), publications: &errgroup.Group{}}
	err := r.each(mail(1, lightSize), panicking{})
	if err == nil || !strings.Contains(err.Error(), "panic: out of range") {
		t.Fatalf("err = %v", err)
	}
	if !l.memory.TryAcquire(lightSize) {
		t.Error("its memory is not given back")
	}
	l.memory.Release(lightSize)
	if err := r.each(mail(2, lightSize), strings.NewReader("short")); !errors.Is(err, io.ErrUnexpectedEOF) || !l.memory.TryAcquire(lightSize) {
		t.Errorf("after a body cut short (%v) its memory is not given back", err)
	}
	l.giveBack(transferFailure(err))
	if b.troubles[1] == nil || b.troubles[1].first.IsZero() {
		t.Errorf("troubles: %+v", b.troubles[1])
	}
}

func TestPanicAtTheEndOfABatchEndsTheDownload(t *testing.T) {
	t.Parallel()
	l := claims(newTestBacklog(50))
	l.logger = zap.NewNop()
	l.session.mailbox = &mailbox{tenant: tenant, id: "info"}
	var failure error
	r := &reception{lane: l, ctx: t.Context(), publications: &errgroup.Group{}, fail: func(err error) { failure = err }}
	r.finished([]imapconn.MailInfo{mail(1, lightSize)}, []uint32{1}) // no connection to wake
	if failure == nil {
		t.Error("it goes on")
	}
}
