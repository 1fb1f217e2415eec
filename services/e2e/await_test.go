package e2e_test

import (
	"fmt"
	"testing"
	"time"
)

// patience is how long a scenario waits for what must come. A quiet machine needs
// seconds; one that is busy with other tests many times as many.
const patience = 2 * time.Minute

// await polls until a condition holds. The condition returns "" when it does,
// and otherwise what it sees, which the test fails with in the end.
func await(t testing.TB, what string, condition func() (seen string)) {
	t.Helper()
	awaitFor(t, patience, what, condition)
}

func awaitFor(t testing.TB, d time.Duration, what string, condition func() (seen string)) {
	t.Helper()
	deadline := time.After(d)
	// Looking is not free, and many look at a time.
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 400*time.Millisecond) {
		seen := condition()
		if seen == "" {
			return
		}
		select {
		case <-time.After(pause):
		case <-deadline:
			t.Fatalf("waited %s in vain until %s; at the end: %s", d, what, seen)
		}
	}
}

// unless returns what is seen unless the condition holds, for await.
func unless(ok bool, format string, args ...any) (seen string) {
	if ok {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// must returns a value, or fails the test with its error.
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		check(t, err)
		return value
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
