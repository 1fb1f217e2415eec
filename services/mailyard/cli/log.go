package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// terminalLogger logs for a person: a line each, like those of the narrator.
func terminalLogger(out io.Writer, level string) (*zap.Logger, error) {
	l, err := zapcore.ParseLevel(level)
	if err != nil {
		return nil, fmt.Errorf("log_level: %w", err)
	}
	return zap.New(&terminal{LevelEnabler: l, out: zapcore.Lock(zapcore.AddSync(out))}), nil
}

// A terminal is a core that writes readable lines.
type terminal struct {
	zapcore.LevelEnabler
	out    zapcore.WriteSyncer
	fields []zapcore.Field
}

// With implements zapcore.Core.
func (c *terminal) With(fields []zapcore.Field) zapcore.Core {
	return &terminal{c.LevelEnabler, c.out, slices.Concat(c.fields, fields)}
}

// Check implements zapcore.Core.
func (c *terminal) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write implements zapcore.Core.
func (c *terminal) Write(e zapcore.Entry, fields []zapcore.Field) error {
	values := zapcore.NewMapObjectEncoder()
	for _, f := range slices.Concat(c.fields, fields) {
		f.AddTo(values)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-13s ", e.Time.Format("15:04:05"), "! "+e.Level.String())
	if e.LoggerName != "" {
		b.WriteString(e.LoggerName + ": ")
	}
	b.WriteString(e.Message)
	if text, ok := values.Fields["error"]; ok {
		fmt.Fprintf(&b, ": %s", oneLine(fmt.Sprint(text), 500))
		delete(values.Fields, "error")
	}
	for i, name := range slices.Sorted(maps.Keys(values.Fields)) {
		before := ", "
		if i == 0 {
			before = " ("
		}
		fmt.Fprintf(&b, "%s%s %s", before, name, oneLine(fmt.Sprint(values.Fields[name]), 200))
	}
	if len(values.Fields) > 0 {
		b.WriteString(")")
	}
	_, err := c.out.Write([]byte(b.String() + "\n"))
	return err
}

// Sync implements zapcore.Core; there is nothing to do.
func (c *terminal) Sync() error { return nil }
