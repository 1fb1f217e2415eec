package process_test

import (
	"net"

	"go.uber.org/zap/zapcore"
)

// addrCore is a log that passes on the address that a server logs.
type addrCore struct{ addr chan<- string }

func (addrCore) Enabled(zapcore.Level) bool          { return true }
func (c addrCore) With([]zapcore.Field) zapcore.Core { return c }
func (c addrCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	return ce.AddCore(e, c)
}
func (c addrCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	for _, f := range fields {
		if addr, ok := f.Interface.(net.Addr); ok && e.Message == "listening" {
			c.addr <- addr.String()
		}
	}
	return nil
}
func (addrCore) Sync() error { return nil }
