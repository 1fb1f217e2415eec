package e2e_test

import (
	"bytes"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// newLog returns a logger whose lines are shown when the test fails.
func newLog(t testing.TB, name string) *zap.Logger {
	t.Helper()
	var out tail
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the last that %s logged:\n%s", name, out.String())
		}
	})
	encoder := zap.NewProductionEncoderConfig()
	encoder.EncodeTime = zapcore.ISO8601TimeEncoder
	return zap.New(zapcore.NewCore(zapcore.NewConsoleEncoder(encoder), zapcore.AddSync(&out), zapcore.InfoLevel))
}

// maxTail is how much of a log is shown.
const maxTail = 64 << 10

// A tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *tail) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buf.Write(p)
	if o.buf.Len() > 2*maxTail {
		o.buf.Next(o.buf.Len() - maxTail)
	}
	return len(p), nil
}

func (o *tail) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}
