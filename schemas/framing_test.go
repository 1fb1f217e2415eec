package schemas_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/schemas"
)

func TestClassifiedMailIsALineOfJSONAndTheMail(t *testing.T) {
	t.Parallel()
	want := schemas.ClassifiedMail{
		Decision: schemas.Decision{
			Verdict: schemas.Accepted, Revision: 7, ClassifiedAt: time.Date(2026, 8, 22, 10, 0, 0, 0, time.UTC),
			Clones: []schemas.Clone{{Folder: "support", FolderName: "Line\nbreak", Address: "a@b", Header: "To", Rule: schemas.RuleExact}},
		},
		Mail: []byte("Subject: a\r\n\r\nfirst\nsecond\x00\xff"),
	}
	raw, err := want.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if head, mail, _ := bytes.Cut(raw, []byte("\n")); !bytes.HasPrefix(head, []byte(`{"verdict":"accepted"`)) || !bytes.Equal(mail, want.Mail) {
		t.Errorf("on the wire it is %q", raw)
	}
	got := schemas.ClassifiedMail{Decision: schemas.Decision{Reason: schemas.ReasonLoop}}
	if err := got.UnmarshalBinary(raw); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("decoded %+v, %v; want %+v", got, err, want)
	}
	for _, wrong := range []string{"", "{}", "{\nmail", "[]\nmail"} {
		if err := got.UnmarshalBinary([]byte(wrong)); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
}

func TestDecisionsAreNotEscapedForHTML(t *testing.T) {
	t.Parallel()
	mail := schemas.ClassifiedMail{
		Decision: schemas.Decision{Clones: []schemas.Clone{{FolderName: "Sales & <Support>\u2028"}}},
		Mail:     []byte("\nthe mail begins with a newline"),
	}
	raw, err := mail.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := bytes.Cut(raw, []byte("\n"))
	if !bytes.Contains(head, []byte(`"Sales & <Support>\u2028"`)) || !bytes.Equal(rest, mail.Mail) {
		t.Errorf("on the wire it is %q", raw)
	}
}

func TestNATSMessageHasTheWireFormOfADR4(t *testing.T) {
	t.Parallel()
	message := schemas.NATSMessage{Header: map[string][]string{"ce-id": {"1"}, "X": {" a ", "b:c", ""}}, Payload: []byte("\r\n\r\nNATS/1.0\x00")}
	const wire = "NATS/1.0\r\nX:  a \r\nX: b:c\r\nX: \r\nce-id: 1\r\n\r\n\r\n\r\nNATS/1.0\x00"
	raw, err := message.MarshalBinary()
	if err != nil || string(raw) != wire {
		t.Errorf("on the wire it is %q, %v; want %q", raw, err, wire)
	}
	var got schemas.NATSMessage
	if err := got.UnmarshalBinary([]byte(wire)); err != nil || !reflect.DeepEqual(got, message) {
		t.Errorf("decoded %q, %v; want %q", got, err, message)
	}
	for _, wrong := range []string{"", "NATS/1.0", "NATS/1.0\r\n", "NATS/1.0\r\na: b\r\n", "NATS/1.0\r\na\r\n\r\n", "NATS/1.0\r\n: b\r\n\r\n", "HTTP/1.1\r\n\r\n", "NATS/1.0\r\na: b\nc: d\r\n\r\n"} {
		if err := got.UnmarshalBinary([]byte(wrong)); err == nil {
			t.Errorf("%q is accepted", wrong)
		}
	}
	for _, header := range []map[string][]string{{"": {"a"}}, {"a:b": {"c"}}, {"a": {"b\r\nc: d"}}, {"a\n": {"b"}}} {
		if raw, err := (schemas.NATSMessage{Header: header}).MarshalBinary(); err == nil {
			t.Errorf("%q is encoded as %q", header, raw)
		}
	}
}

func FuzzNATSMessage(f *testing.F) {
	for _, seed := range []string{"NATS/1.0\r\n\r\n", "NATS/1.0\r\na: b\r\na:  c\r\nD:\r\n\r\npayload", "NATS/1.0\r\na\r\n\r\n", "NATS/1.0 503\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var message, again schemas.NATSMessage
		if message.UnmarshalBinary(raw) != nil {
			return
		}
		wire, err := message.MarshalBinary()
		if err != nil {
			t.Fatalf("%q was read from %q and cannot be written: %v", message, raw, err)
		}
		if err := again.UnmarshalBinary(wire); err != nil || !reflect.DeepEqual(message, again) {
			t.Errorf("%q became %q, %v", message, again, err)
		}
	})
}

func FuzzClassifiedMail(f *testing.F) {
	for _, seed := range []string{"{}\n", "{\"verdict\":\"accepted\",\"clones\":[{\"folder\":\"a\"}]}\nSubject: a\r\n", "null\n\n", "{\"classified_at\":\"9999-12-31T23:59:59Z\"}\nx"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var mail, again schemas.ClassifiedMail
		if mail.UnmarshalBinary(raw) != nil {
			return
		}
		wire, err := mail.MarshalBinary()
		if err != nil {
			t.Fatalf("%+v was read from %q and cannot be written: %v", mail, raw, err)
		}
		if err := again.UnmarshalBinary(wire); err != nil || !bytes.Equal(mail.Mail, again.Mail) || again.Decision.Verdict != mail.Decision.Verdict {
			t.Errorf("%+v became %+v, %v", mail, again, err)
		}
	})
}

func TestMailIDsNeverChange(t *testing.T) {
	t.Parallel()
	key := schemas.MailKey{Tenant: "acme", Mailbox: "inbound", UIDValidity: 1700000000, UID: 4711}
	// Stored in databases: another value would store every mail twice.
	if got := key.ID(); got != "ocb5caaofz5i4ce5khu2pjurqz" {
		t.Errorf("the id of %s is %s", key, got)
	}
	if got := key.String() + " " + key.Source() + " " + key.Subject(); got != "acme/inbound/1700000000/4711 /tenants/acme/mailboxes/inbound 1700000000/4711" {
		t.Errorf("the key is written as %s", got)
	}
	ids := map[string]schemas.MailKey{}
	for _, other := range []schemas.MailKey{key, {"acme", "inbound", 1700000000, 4712}, {"acme", "inbound", 1700000001, 4711}, {"acme", "inbound-2", 1700000000, 4711}, {"acme2", "inbound", 1700000000, 4711}} {
		if id := other.ID(); ids[id] != (schemas.MailKey{}) || len(id) != 26 || strings.ToLower(id) != id {
			t.Errorf("the id of %s is %s, which %s has", other, id, ids[id])
		} else {
			ids[id] = other
		}
	}
}
