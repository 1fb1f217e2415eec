package bus_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
)

func stateEvent(tenant, mailbox string, status schemas.MailboxStatus, waiting int) schemas.MailboxStateChanged {
	now := time.Now().UTC().Truncate(time.Millisecond)
	return schemas.MailboxStateChanged{
		Attributes: schemas.Attributes{
			SpecVersion: schemas.SpecVersion, ID: fmt.Sprint(tenant, mailbox, status, waiting), Type: schemas.TypeMailboxState,
			Source: schemas.Source(tenant, mailbox), Time: now, DataContentType: schemas.ContentJSON,
		},
		Data: schemas.MailboxState{Tenant: tenant, Mailbox: mailbox, Status: status, Since: now, Waiting: waiting},
	}
}

func testStateHistory(t *testing.T, srv *bustest.Server) {
	c := srv.Connect(t, "test", nil)
	ctx := testContext(t)
	waiting := func(tenant, mailbox string, limit int) []int {
		t.Helper()
		var list []int
		for _, s := range must(c.StateHistory(ctx, tenant, mailbox, limit))(t) {
			if s.Tenant != tenant || s.Mailbox != mailbox {
				t.Errorf("the history of %s/%s has a state of %s/%s", tenant, mailbox, s.Tenant, s.Mailbox)
			}
			list = append(list, s.Waiting)
		}
		return list
	}
	if got := waiting(tenant, mailbox, 10); len(got) != 0 {
		t.Errorf("a mailbox without events has the states %v", got)
	}
	statuses := []schemas.MailboxStatus{schemas.StatusLive, schemas.StatusDraining, schemas.StatusAuthFailed}
	pending := make([]*bus.Pending, 0, 3000)
	for i := range 1000 {
		for _, who := range [][2]string{{tenant, mailbox}, {tenant, "other"}, {"other", mailbox}} {
			e := stateEvent(who[0], who[1], statuses[i%3], i)
			pending = append(pending, must(c.PublishAsync(ctx, schemas.SubjectMailboxState(e.Data.Status, who[0], who[1]), e, ""))(t))
		}
	}
	for _, p := range pending {
		check(t, p.Wait(ctx))
	}
	if _, err := c.JetStream().Publish(ctx, schemas.SubjectMailboxState(schemas.StatusLive, tenant, mailbox), []byte("not an event")); err != nil {
		t.Fatal(err)
	}
	if got := waiting(tenant, mailbox, 3); !slices.Equal(got, []int{999, 998}) && !slices.Equal(got, []int{999, 998, 997}) {
		t.Errorf("the last states are %v", got)
	}
	if got := waiting(tenant, mailbox, 0); len(got) != bus.MaxStates || got[0] != 999 || got[999] != 0 {
		t.Errorf("the history has %d states", len(got))
	}
	for _, odd := range []string{"*", ">", "", "acme.support", strings.Repeat("a", 1000), "\x00"} {
		if got := must(c.StateHistory(ctx, tenant, odd, 5))(t); len(got) != 0 {
			t.Errorf("mailbox %q has a history", odd)
		}
		if got := must(c.StateHistory(ctx, odd, mailbox, 5))(t); len(got) != 0 {
			t.Errorf("tenant %q has a history", odd)
		}
	}
}
