package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/fault"
)

func TestClassesSurviveWrapping(t *testing.T) {
	cause := errors.New("cause")
	if err := fmt.Errorf("storing: %w", fault.Permanent(cause)); !fault.IsPermanent(err) || fault.IsUnavailable(err) || !errors.Is(err, cause) {
		t.Errorf("a wrapped permanent error is not recognised: %v", err)
	}
	if err := fmt.Errorf("storing: %w", fault.Unavailable(cause)); !fault.IsUnavailable(err) || fault.IsPermanent(err) || !errors.Is(err, cause) {
		t.Errorf("a wrapped unavailable error is not recognised: %v", err)
	}
	err := fmt.Errorf("signing in: %w", &fault.Delayed{Err: cause, After: time.Minute})
	if after, ok := fault.RetryAfter(err); !ok || after != time.Minute || !errors.Is(err, cause) {
		t.Errorf("RetryAfter = %v, %v; want 1m, true", after, ok)
	}
	if fault.IsPermanent(cause) || fault.IsUnavailable(cause) || fault.Permanent(nil) != nil || fault.Unavailable(nil) != nil {
		t.Error("an unclassified error, or none, was given a class")
	}
}
