package mailyard

import (
	"io"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
)

// A drain disposes of thousands of mails in a second: they are counted by what
// the events say, and only the few that are told of are read.
func TestNarratorReadsOnlyTheMailsThatItTellsOf(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.WarnLevel)
	all, err := stores.Open(t.Context(), map[string]secret.String{"default": secret.NewString("sqlite:" + filepath.Join(t.TempDir(), "m.db"))}, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	if err := all.Close(); err != nil { // so that every reading leaves a warning
		t.Fatal(err)
	}
	n := &narrator{stores: all, out: io.Discard, logger: zap.New(core), stored: map[string]bool{}}

	const mails = 500
	var uids []uint32
	for uid := range uint32(mails) {
		uids = append(uids, uid+1)
		p := schemas.Persisted{Tenant: "acme", Mailbox: "info", UIDValidity: 7, UID: uid + 1, Lane: schemas.Light}
		if uid%5 == 0 {
			p.Lane = schemas.Large
		}
		for _, p.Folder = range []string{"support", "sales"} {
			n.persisted(p)
		}
	}
	n.disposed(t.Context(), schemas.Disposed{Tenant: "acme", Mailbox: "info", UIDValidity: 7, UIDs: uids, Action: schemas.ActionPersisted, Method: "move"})

	want := totals{stored: mails, light: mails * 4 / 5, large: mails / 5, clones: 2 * mails, moved: mails}
	if n.total != want {
		t.Errorf("counted %+v, want %+v", n.total, want)
	}
	if read := logs.Len(); read == 0 || read > 3*linesPerSecond {
		t.Errorf("%d of %d mails were read", read, mails)
	}
	if len(n.stored) != 0 {
		t.Errorf("%d mails are remembered that are disposed of", len(n.stored))
	}
}
