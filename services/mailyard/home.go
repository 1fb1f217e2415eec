package mailyard

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/secret"
)

// A Home is the folder in which an installation on one machine keeps everything.
type Home struct{ Dir string }

func (h Home) path(name string) string { return filepath.Join(h.Dir, name) }

// Defaults returns the settings of an installation that needs nothing but its folder.
func (h Home) Defaults() deployment.Settings {
	s := deployment.Defaults()
	s.NATS.URL = deployment.Embedded
	s.RedisURL = secret.NewString(deployment.Embedded)
	s.Control = secret.NewString("sqlite:" + h.path("control.db"))
	s.Messaging = map[string]secret.String{"default": secret.NewString("sqlite:" + h.path("messaging.db"))}
	s.MasterKeyFile = h.path("master.key")
	s.LogLevel = "warn"
	return s
}

// Settings reads the settings: the defaults, the file if path is not empty, the
// environment.
func (h Home) Settings(path string, environ []string) (deployment.Settings, error) {
	if path == "" {
		path = deployment.ConfigFile(environ)
	}
	return deployment.Load(h.Defaults(), path, environ)
}

// Installed returns an error unless the home's own control database is there, if
// the settings name that one: to read an installation does not make one.
func (h Home) Installed(s deployment.Settings) error {
	if s.Control.Reveal() != "sqlite:"+h.path("control.db") {
		return nil
	}
	_, err := os.Stat(h.path("control.db"))
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no installation in %s: `mailyard up` or `mailyard apply` makes one, --data names another folder", h.Dir)
	}
	if err != nil {
		return fmt.Errorf("looking for the installation: %w", err)
	}
	return nil
}

// Prepare makes the folder and, if the settings name the home's own master key
// and control database, that key, unless it is there. It never replaces a key:
// what it encrypted would be lost. That is why it makes none for a control
// database elsewhere, which may hold what another key encrypted.
func (h Home) Prepare(s deployment.Settings) error {
	if err := os.MkdirAll(h.Dir, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if s.MasterKeyFile != h.path("master.key") || s.Control.Reveal() == "" {
		return nil
	}
	if _, err := os.Stat(s.MasterKeyFile); err == nil {
		return nil
	}
	if s.Control.Reveal() != "sqlite:"+h.path("control.db") {
		return fmt.Errorf("%s is missing, and the control database is not in that folder: set MAILYARD_MASTER_KEY_FILE to the master key that it was made with; for a new control database make one with `mailyard key generate FILE`", s.MasterKeyFile)
	}
	if _, err := os.Stat(h.path("control.db")); err == nil {
		return fmt.Errorf("%s is missing, but %s is there: without the key that it was made with, its passwords cannot be read; restore the key from your backup, or move the folder away to begin anew", s.MasterKeyFile, h.path("control.db"))
	}
	key, err := secret.GenerateMasterKey()
	if err != nil {
		return err
	}
	return key.Save(s.MasterKeyFile)
}

// ErrRunning says that another process serves this home.
var ErrRunning = errors.New("mailyard is already running")

// Lock makes this process the one that serves the home, until unlock is called
// or the process ends, however it does. It tries for up to a second: a command
// that looks whether mailyard runs holds the lock for a moment.
func (h Home) Lock() (unlock func(), err error) {
	f, err := os.OpenFile(h.path("mailyard.lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	for end := time.Now().Add(time.Second); errors.Is(err, syscall.EWOULDBLOCK) && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err != nil {
		pid, _ := os.ReadFile(f.Name()) // for the message only
		_ = f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w in %s (process %s): stop that one, or give another folder with --data", ErrRunning, h.Dir, strings.TrimSpace(string(pid)))
		}
		return nil, fmt.Errorf("locking the data folder: %w", err)
	}
	if err := f.Truncate(0); err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
		if err != nil {
			return nil, errors.Join(fmt.Errorf("locking the data folder: %w", err), f.Close())
		}
	}
	return func() { _ = f.Close() }, nil // closing is what unlocks; there is nothing to do about an error
}

// Endpoints are where the embedded servers of a running home are reached, for
// the command line. The file holds passwords and is the owner's alone.
type Endpoints struct {
	NATSURL      string `json:"nats_url"`
	NATSUser     string `json:"nats_user"`
	NATSPassword string `json:"nats_password"`
	RedisURL     string `json:"redis_url"`
	AdminURL     string `json:"admin_url"`   // of console and REST; empty: they are not served
	AdminToken   string `json:"admin_token"` // REST takes it from whoever may read this file
}

func (h Home) writeEndpoints(e Endpoints) error {
	raw, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	if err := h.replace("endpoints.json", append(raw, '\n')); err != nil {
		return fmt.Errorf("writing where the embedded servers are: %w", err)
	}
	return nil
}

// replace writes a file that is the owner's alone, whatever was there under its
// name: another mode, a link to elsewhere.
func (h Home) replace(name string, content []byte) error {
	f, err := os.CreateTemp(h.Dir, name+".*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), h.path(name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// Endpoints returns where the embedded servers are. ok is false when nothing
// runs in this home.
func (h Home) Endpoints() (e Endpoints, ok bool, err error) {
	f, err := os.Open(h.path("mailyard.lock"))
	if errors.Is(err, os.ErrNotExist) {
		return e, false, nil
	}
	if err != nil {
		return e, false, fmt.Errorf("looking whether mailyard runs: %w", err)
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err == nil {
		return e, false, nil // nobody holds it; closing gives our lock back
	}
	raw, err := os.ReadFile(h.path("endpoints.json"))
	if errors.Is(err, os.ErrNotExist) {
		return e, false, nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	if err != nil {
		return e, false, fmt.Errorf("reading where the embedded servers are: %w", err)
	}
	return e, true, nil
}
