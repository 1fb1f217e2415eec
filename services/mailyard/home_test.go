package mailyard

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/secret"
)

func TestStartWhileACommandLooksWhetherMailyardRuns(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	looking, err := os.OpenFile(h.path("mailyard.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(looking.Fd()), syscall.LOCK_SH); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	time.AfterFunc(100*time.Millisecond, func() { closed <- looking.Close() })
	unlock, err := h.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	if _, err := h.Lock(); !errors.Is(err, ErrRunning) {
		t.Errorf("locked twice: %v", err)
	}
	unlock()
	again, err := h.Lock()
	if err != nil {
		t.Fatal(err)
	}
	again()
}

// A new key cannot open what the control database of others holds.
func TestMasterKeyIsMadeForTheHomesOwnDatabaseOnly(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	s := h.Defaults()
	s.Control = secret.NewString("postgres://mailyard:hunter2@db.example/control")
	err := h.Prepare(s)
	if err == nil {
		t.Fatal("a key was made")
	}
	for _, want := range []string{h.path("master.key"), "MAILYARD_MASTER_KEY_FILE", "mailyard key generate"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not name %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%q tells the password", err)
	}
	if _, err := os.Stat(h.path("master.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("looking for the key: %v", err)
	}
	elsewhere := s
	elsewhere.MasterKeyFile = "/etc/mailyard/master.key"
	if err := h.Prepare(elsewhere); err != nil {
		t.Errorf("with a key elsewhere: %v", err)
	}
	if err := h.Prepare(h.Defaults()); err != nil {
		t.Errorf("with the home's own database: %v", err)
	}
	if err := h.Prepare(s); err != nil {
		t.Errorf("with the home's own key in place: %v", err)
	}
}

// The file holds the operator's token. One that somebody else made, or that is
// there with another mode, must not show it.
func TestEndpointsAreTheOwnersAlone(t *testing.T) {
	t.Parallel()
	h := Home{Dir: t.TempDir()}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	for what, prepare := range map[string]func() error{
		"there is none": func() error { return nil },
		"there is one that all may read": func() error {
			return errors.Join(os.WriteFile(h.path("endpoints.json"), []byte("{}"), 0o644), os.Chmod(h.path("endpoints.json"), 0o644))
		},
		"there is a link": func() error {
			return errors.Join(os.WriteFile(elsewhere, nil, 0o644), os.RemoveAll(h.path("endpoints.json")), os.Symlink(elsewhere, h.path("endpoints.json")))
		},
	} {
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
		if err := h.writeEndpoints(Endpoints{AdminToken: "of this machine"}); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(h.path("endpoints.json"))
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v", what, info.Mode(), err)
		}
	}
	if raw, err := os.ReadFile(elsewhere); err != nil || len(raw) > 0 {
		t.Errorf("it was written elsewhere: %s, %v", raw, err)
	}
	if left, err := os.ReadDir(h.Dir); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
	if err := (Home{Dir: h.path("none")}).writeEndpoints(Endpoints{}); err == nil {
		t.Error("a folder that is not there is no error")
	}
}
