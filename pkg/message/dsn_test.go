package message_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/pkg/message/messagetest"
)

func parseSample(t *testing.T, name string) *message.Message {
	t.Helper()
	for _, s := range messagetest.Samples() {
		if s.Name == name {
			return message.Parse(s.Raw, message.DefaultLimits())
		}
	}
	t.Fatalf("no sample %q", name)
	return nil
}

func TestDeliveryStatus(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]*message.DSN{
		"bounce": {Action: "failed", Status: "5.1.1", FinalRecipient: "nobody@customer.example",
			Diagnostic: "550 5.1.1 <nobody@customer.example>: Recipient address rejected", OriginalMessageID: "original@example.com"},
		"delayed":               {Action: "delayed", Status: "4.4.1", FinalRecipient: "slow@customer.example"},
		"bounce-without-report": nil,
		"nested-message":        nil,
	} {
		if diff := cmp.Diff(want, parseSample(t, name).DSN); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestBouncesOfServersWithoutReports(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"X-Failed-Recipients: a@b.example, c@d.example\r\n":              true,
		"Return-Path: <>\r\nFrom: Mail Delivery <MAILER-DAEMON@x.y>\r\n": true,
		"Return-Path: <>\r\nFrom: postmaster@x.y\r\n":                    true,
		"Return-Path: <>\r\nFrom: ada@x.y\r\n":                           false,
		"Return-Path: <a@b.c>\r\nFrom: postmaster@x.y\r\n":               false,
		"From: MAILER-DAEMON@x.y\r\n":                                    false,
	} {
		if got := message.Parse([]byte(header+"\r\nx"), message.DefaultLimits()).Bounce; got != want {
			t.Errorf("%q: bounce %v; want %v", header, got, want)
		}
	}
}

func TestAutomaticReplies(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]bool{
		"Auto-Submitted: auto-replied":            true,
		"Auto-Submitted: (x) Auto-Generated; a=b": true,
		"Auto-Submitted: no":                      false,
		"Auto-Submitted: (why) No":                false,
		"Auto-Submitted:":                         false,
		"Precedence: auto_reply":                  true,
		"Precedence: bulk":                        false,
		"Precedence: list":                        false,
		"X-Autoreply: yes":                        true,
		"X-Autorespond: Out of office":            true,
		"X-Auto-Response-Suppress: All":           false,
		"Subject: Auto-Submitted":                 false,
	} {
		if got := message.Parse([]byte(field+"\r\n\r\nx"), message.DefaultLimits()).AutoReply; got != want {
			t.Errorf("%s: auto-reply %v; want %v", field, got, want)
		}
	}
	if got := message.Parse([]byte("Auto-Submitted: (x) Auto-Replied; owner=y\r\n\r\n"), message.DefaultLimits()).AutoSubmitted; got != "auto-replied" {
		t.Errorf("Auto-Submitted %q", got)
	}
}
