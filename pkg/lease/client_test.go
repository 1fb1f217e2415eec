package lease_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/schemas"
)

func testStates(t *testing.T, b *backend) {
	c := b.dial(t)
	ctx := t.Context()
	now := time.Now().UTC()
	state := func(tenant, mailbox string, s schemas.MailboxStatus) schemas.MailboxState {
		return schemas.MailboxState{Tenant: tenant, Mailbox: mailbox, Status: s, Since: now, LastSuccess: &now, Waiting: 3}
	}
	for _, s := range []schemas.MailboxState{
		state("globex", "info", schemas.StatusLive),
		state("acme", "support", schemas.StatusAuthFailed),
		state("acme", "sales", schemas.StatusConnecting),
		state("acme", "sales", schemas.StatusDraining),
	} {
		if err := c.SetState(ctx, s, "the landlord's "+s.Mailbox); err != nil {
			t.Fatal(err)
		}
	}
	check := func(tenant string, want ...schemas.MailboxState) {
		t.Helper()
		got, err := c.States(ctx, tenant)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("states of %q (-want +got):\n%s", tenant, diff)
		}
	}
	sales, support, info := state("acme", "sales", schemas.StatusDraining), state("acme", "support", schemas.StatusAuthFailed), state("globex", "info", schemas.StatusLive)
	check("", sales, support, info)
	check("acme", sales, support)
	check("nobody")
	if detailed, err := c.DetailedStates(ctx, "acme"); err != nil || len(detailed) != 2 || detailed[0].Detail != "the landlord's sales" {
		t.Errorf("the landlord reads %+v, %v", detailed, err)
	}
	if err := c.DeleteState(ctx, "acme", "support"); err != nil {
		t.Fatal(err)
	}
	check("", sales, info)
	b.flush(t)
	check("")
}

func testAway(t *testing.T, b *backend) {
	l := b.line(t)
	c := b.dialURL(t, l.url)
	l.setCut(true)
	ctx := t.Context()
	m := lease.Mailbox{Tenant: "acme", ID: "sales", Epoch: "e"}
	calls := map[string]func() error{
		"Mark":              func() error { return c.Mark(ctx, m, 1, []uint32{1}, time.Hour) },
		"Marked":            func() error { _, err := c.Marked(ctx, m, 1); return err },
		"Unmark":            func() error { return c.Unmark(ctx, "acme", "sales", 1, []uint32{1}) },
		"CountMarks":        func() error { _, err := c.CountMarks(ctx, "acme", "sales", 1); return err },
		"Acquire":           func() error { _, err := c.Budget("host", 1, time.Hour).Acquire(ctx); return err },
		"SetState":          func() error { return c.SetState(ctx, schemas.MailboxState{Tenant: "acme"}, "") },
		"States":            func() error { _, err := c.States(ctx, ""); return err },
		"DeleteState":       func() error { return c.DeleteState(ctx, "acme", "sales") },
		"SwitchProtocolLog": func() error { return c.SwitchProtocolLog(ctx, "acme", "sales", time.Now().Add(time.Minute)) },
		"ProtocolLogs":      func() error { _, err := c.ProtocolLogs(ctx); return err },
		"AppendProtocol":    func() error { return c.AppendProtocol(ctx, "acme", "sales", []lease.ProtocolLine{{Text: "one"}}) },
		"ProtocolLog":       func() error { _, _, err := c.ProtocolLog(ctx, "acme", "sales", 0); return err },
		"SetOutgoing":       func() error { return c.SetOutgoing(ctx, lease.OutgoingState{Tenant: "acme"}) },
		"Outgoing":          func() error { _, err := c.Outgoing(ctx, "acme"); return err },
		"Dial": func() error {
			_, err := lease.Dial(ctx, lease.Options{URL: l.url, Timeout: time.Second})
			return err
		},
	}
	for name, call := range calls {
		if err := call(); !fault.IsUnavailable(err) {
			t.Errorf("%s = %v; want it to be unavailable", name, err)
		}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if err := c.Mark(gone, m, 1, []uint32{1}, time.Hour); err == nil || fault.IsUnavailable(err) {
		t.Errorf("Mark = %v with a ctx that was cancelled; that says nothing about Redis", err)
	}
	l.setCut(false)
	for name, call := range calls {
		if name == "Dial" {
			continue // would have to be closed
		}
		if err := call(); err != nil {
			t.Errorf("%s = %v after Redis came back", name, err)
		}
	}
}

func testWrongPassword(t *testing.T, b *backend) {
	u, err := url.Parse(b.url)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("nobody", "secret-word")
	_, err = lease.Dial(t.Context(), lease.Options{URL: u.String()})
	if !fault.IsPermanent(err) || strings.Contains(err.Error(), "secret-word") {
		t.Errorf("Dial = %v; want a permanent error without the password", err)
	}
}

func TestBadURLIsPermanentAndKeepsItsSecret(t *testing.T) {
	for _, u := range []string{"", "localhost:6379", "redis://u:secret-word@host:port/0", "redis://u:secret word@host/0", "http://u:secret-word@host"} {
		_, err := lease.Dial(t.Context(), lease.Options{URL: u})
		if !fault.IsPermanent(err) || strings.Contains(err.Error(), "secret") {
			t.Errorf("Dial(%q) = %v; want a permanent error without the password", u, err)
		}
	}
}
