package fetcher

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/schemas"
)

// wantPause checks a pause that may be up to a quarter shorter.
func wantPause(t *testing.T, what string, got, want time.Duration) {
	t.Helper()
	if got > want || got < want-want/4 {
		t.Errorf("%s: pause %s; want %s, or up to a quarter less", what, got, want)
	}
}

func kindError(k imapconn.Kind) error {
	return fmt.Errorf("serving: %w", &imapconn.Error{Op: "testing", Kind: k, Err: errors.New("refused")})
}

func TestConnectRetriesComeSoonAndThenTheSlowSchedule(t *testing.T) {
	t.Parallel()
	for range 50 { // the jitter differs
		var s schedule
		soon := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}
		for i, want := range soon {
			pause, status := s.next(kindError(imapconn.KindUnreachable), len(soon))
			wantPause(t, fmt.Sprintf("retry %d", i+1), pause, want)
			if status != schemas.StatusConnecting {
				t.Errorf("retry %d: status %s", i+1, status)
			}
		}
		for i, minutes := range []int{1, 2, 4, 8, 15, 15, 15} {
			pause, status := s.next(kindError(imapconn.KindUnreachable), len(soon))
			wantPause(t, fmt.Sprintf("slow retry %d", i+1), pause, time.Duration(minutes)*time.Minute)
			if status != schemas.StatusUnreachable {
				t.Errorf("slow retry %d: status %s", i+1, status)
			}
		}
	}
}

func TestManyConnectRetriesStayBounded(t *testing.T) {
	t.Parallel()
	var s schedule
	for i := range 100 {
		pause, status := s.next(errors.New("anything"), 100)
		if pause <= 0 || pause > longestRetry || status != schemas.StatusConnecting {
			t.Fatalf("retry %d: %s, %s", i+1, pause, status)
		}
	}
	for i := range 100 {
		if pause, _ := s.next(errors.New("anything"), 100); pause <= 0 || pause > longestSlow {
			t.Fatalf("slow retry %d: %s", i+1, pause)
		}
	}
}

func TestNoConnectRetriesMeansTheSlowScheduleAtOnce(t *testing.T) {
	t.Parallel()
	var s schedule
	pause, status := s.next(kindError(imapconn.KindTLS), 0)
	wantPause(t, "first", pause, time.Minute)
	if status != schemas.StatusTLSFailed {
		t.Errorf("status %s", status)
	}
}

func TestRefusedCredentialsAreConfirmedOnceAndThenWaitAnHour(t *testing.T) {
	t.Parallel()
	var s schedule
	for i, want := range []time.Duration{confirmRetry, time.Hour, time.Hour} {
		pause, status := s.next(kindError(imapconn.KindCredentials), 3)
		wantPause(t, fmt.Sprintf("refusal %d", i+1), pause, want)
		if status != schemas.StatusAuthFailed {
			t.Errorf("status %s", status)
		}
	}
}

func TestThrottledWaitsAsLongAsTheServerSays(t *testing.T) {
	t.Parallel()
	var s schedule
	err := &imapconn.Error{Kind: imapconn.KindThrottled, After: 40 * time.Minute, Err: errors.New("slow down")}
	if pause, status := s.next(err, 3); pause < err.After || status != schemas.StatusThrottled {
		t.Errorf("pause %s, status %s", pause, status)
	}
	err.After = 0
	pause, _ := s.next(err, 3)
	wantPause(t, "without a wait of the server's", pause, 2*time.Minute)
}

func TestStatusTellsTheKindOfTrouble(t *testing.T) {
	t.Parallel()
	for kind, want := range map[imapconn.Kind]schemas.MailboxStatus{
		imapconn.KindTLS: schemas.StatusTLSFailed, imapconn.KindUnreachable: schemas.StatusUnreachable,
		imapconn.KindFolder: schemas.StatusFolderMissing, imapconn.KindProtocol: schemas.StatusFailed, imapconn.KindOther: schemas.StatusFailed,
	} {
		if got := statusOf(kind); got != want {
			t.Errorf("%s: status %s; want %s", kind, got, want)
		}
	}
}
