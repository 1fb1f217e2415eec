package mailyard

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
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
