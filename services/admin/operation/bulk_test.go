package operation

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/control"
)

// What goes wrong with one of many is to be found in the log, as what is asked
// for by itself.
func TestFaultsOfABulkActionHaveAReference(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.InfoLevel)
	d := &Desk{Logger: zap.New(core)}
	p := d.failed(control.Actor{Name: "ann"}, BulkEnable, "acme", "info", errors.New("SQL logic error"))
	entries := logs.All()
	if p.Status != http.StatusInternalServerError || strings.Contains(p.Detail, "SQL") || len(entries) != 1 {
		t.Fatalf("%+v, logged %+v", p, entries)
	}
	told := entries[0].ContextMap()
	if !strings.Contains(p.Detail, told["reference"].(string)) || told["error"] != "SQL logic error" || told["mailbox"] != "info" || told["actor"] != "ann" {
		t.Errorf("%q, logged %v", p.Detail, told)
	}
	shared := problem(http.StatusServiceUnavailable, nil, "away")
	if p := d.failed(control.Actor{}, BulkEnable, "acme", "info", shared); p.Detail == "away" || shared.Detail != "away" {
		t.Errorf("%q, %q", p.Detail, shared.Detail)
	}
	if p := d.failed(control.Actor{}, BulkEnable, "acme", "info", control.ErrForbidden); len(logs.All()) != 2 || strings.Contains(p.Detail, "reference") {
		t.Errorf("what is refused: %+v, logged %d times", p, len(logs.All()))
	}
}
