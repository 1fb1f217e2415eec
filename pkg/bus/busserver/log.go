package busserver

import (
	"fmt"

	"go.uber.org/zap"
)

// log writes the server's log to zap. The server formats its texts itself;
// what it calls a notice is of interest only when something is wrong.
type log struct {
	z     *zap.Logger
	fatal chan string // what ends the server, once
}

func (l log) Noticef(format string, v ...any) { l.write(l.z.Debug, format, v) }
func (l log) Warnf(format string, v ...any)   { l.write(l.z.Warn, format, v) }
func (l log) Errorf(format string, v ...any)  { l.write(l.z.Error, format, v) }
func (l log) Debugf(format string, v ...any)  { l.write(l.z.Debug, format, v) }
func (l log) Tracef(format string, v ...any)  { l.write(l.z.Debug, format, v) }

// Fatalf does not end the process: Start returns the text as its error.
func (l log) Fatalf(format string, v ...any) {
	select {
	case l.fatal <- fmt.Sprintf(format, v...):
	default:
		l.write(l.z.Error, format, v)
	}
}

func (l log) write(at func(string, ...zap.Field), format string, v []any) {
	at("NATS server", zap.String("text", fmt.Sprintf(format, v...)))
}
