package cli

import (
	"bytes"
	"errors"
	"regexp"
	"testing"
	"time"

	"go.uber.org/zap"
)

func TestLogLinesForPeople(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l, err := terminalLogger(&out, "warn")
	if err != nil {
		t.Fatal(err)
	}
	l = l.Named("fetcher").With(zap.String("mailbox", "info"))
	l.Info("not told")
	l.Warn("serving mailbox", zap.Error(errors.New("refused\r\n\x1b[31mby the server")), zap.Duration("next_attempt_in", 52*time.Second))
	l.Error("plain")
	want := regexp.MustCompile(`^\d\d:\d\d:\d\d  ! warn        fetcher: serving mailbox: refused  \[31mby the server \(mailbox info, next_attempt_in 52s\)
\d\d:\d\d:\d\d  ! error       fetcher: plain \(mailbox info\)
$`)
	if !want.Match(out.Bytes()) {
		t.Errorf("logged:\n%q", out.String())
	}
	if _, err := terminalLogger(&out, "loud"); err == nil {
		t.Error("an unknown level is accepted")
	}
}
