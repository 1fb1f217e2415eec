package bustest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// failures is a testing.TB that remembers what a test would fail with.
type failures struct {
	testing.TB
	texts []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

func state(tenant string) schemas.MailboxStateChanged {
	return schemas.MailboxStateChanged{Attributes: schemas.Attributes{
		SpecVersion: schemas.SpecVersion, ID: "1", Type: schemas.TypeMailboxState, Source: schemas.Source(tenant, "m"), Time: time.Now(),
	}}
}

func TestTap(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	c := srv.Connect(t, "test", nil)
	tap := bustest.Tap(t, srv.Connect(t, "tap", nil), func(header map[string][]string, payload []byte) error {
		if header["ce-source"][0] == schemas.Source("bad", "m") || len(payload) == 0 {
			return errors.New("not as the schema says")
		}
		return nil
	})
	for _, tenant := range []string{"good", "bad", "good"} {
		if err := c.Publish(t.Context(), schemas.SubjectMailboxState(schemas.StatusLive, tenant, "m"), state(tenant), ""); err != nil {
			t.Fatal(err)
		}
	}
	found := &failures{TB: t}
	unseen := tap.Check(found, schemas.TypeMailboxState, schemas.TypeMailFetched)
	if diff := cmp.Diff([]string{schemas.TypeMailFetched}, unseen); diff != "" {
		t.Errorf("types never seen (-want +got):\n%s", diff)
	}
	want := []string{`a message on mailbox.v1.event.live.bad.m (type "mailyard.mailbox.state.v1"): not as the schema says`}
	if diff := cmp.Diff(want, found.texts); diff != "" {
		t.Errorf("the check fails with (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{schemas.TypeMailboxState: 3}, tap.Seen()); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
}

func TestTapOutlivesARestart(t *testing.T) {
	t.Parallel()
	srv := bustest.Start(t)
	tapped := srv.Connect(t, "tap", nil)
	tap := bustest.Tap(t, tapped, func(map[string][]string, []byte) error { return nil })
	srv.Wipe(t)
	srv.Provision(t)
	if err := tapped.Publish(t.Context(), schemas.SubjectMailboxState(schemas.StatusLive, "t", "m"), state("t"), ""); err != nil {
		t.Fatal(err)
	}
	tap.Check(t)
	if n := tap.Seen()[schemas.TypeMailboxState]; n != 1 {
		t.Errorf("after a wipe the tap heard %d events; want 1", n)
	}
}
