package cloudevents_test

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

func TestAnEventComesBackAsItWas(t *testing.T) {
	t.Parallel()
	want := fetched(1000)
	header, payload, err := cloudevents.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"ce-specversion": "1.0", "ce-type": "mailyard.mail.fetched.v1", "ce-source": "/tenants/acme/mailboxes/inbound",
		"ce-subject": "1700000000/4711", "ce-uid": "4711", "ce-size": "1000", "ce-time": "2026-08-22T10:15:30.123456789Z",
		"ce-datacontenttype": "message/rfc822",
		"ce-dataschema":      "https://github.com/mailyard/mailyard/schemas/events/mail.fetched.v1.json",
	} {
		if got := header[name]; len(got) != 1 || got[0] != value {
			t.Errorf("header %s = %q, want %q", name, got, value)
		}
	}
	for _, absent := range []string{"ce-reason", "ce-dataref", "ce-traceparent", "ce-data_base64"} {
		if _, ok := header[absent]; ok {
			t.Errorf("header %s is set", absent)
		}
	}
	var got schemas.MailFetched
	if err := cloudevents.Decode(header, payload, &got); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("decoded %+v, want %+v", got, want)
	}
}

func TestTimesTravelInUTC(t *testing.T) {
	t.Parallel()
	event := fetched(1)
	event.InternalDate = time.Date(2026, 8, 22, 12, 0, 0, 0, time.FixedZone("", 7200))
	header, _, err := cloudevents.Encode(&event)
	if err != nil {
		t.Fatal(err)
	}
	if got := header["ce-internaldate"][0]; got != "2026-08-22T10:00:00Z" {
		t.Errorf("internaldate = %s", got)
	}
	event.InternalDate = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, _, err := cloudevents.Encode(&event); err == nil {
		t.Error("a year that no receiver can read is sent")
	}
}

// The examples of the CloudEvents NATS protocol binding, section 3.1.3.2, and
// what a sender that is not UTF-8 clean gives.
func TestPercentEncoding(t *testing.T) {
	t.Parallel()
	for value, encoded := range map[string]string{
		"Euro € 😀":       "Euro%20%E2%82%AC%20%F0%9F%98%80",
		`"100%"`:         "%22100%25%22",
		"plain/!#$&'()~": "plain/!#$&'()~",
		"a\r\nb\x00\x7f": "a%0D%0Ab%00%7F",
	} {
		event := fetched(1)
		event.Subject = value
		header, payload, err := cloudevents.Encode(event)
		if err != nil {
			t.Fatal(err)
		}
		if got := header["ce-subject"][0]; got != encoded {
			t.Errorf("%q is encoded as %s, want %s", value, got, encoded)
		}
		var back schemas.MailFetched
		if err := cloudevents.Decode(header, payload, &back); err != nil || back.Subject != value {
			t.Errorf("%s is decoded as %q, %v; want %q", encoded, back.Subject, err, value)
		}
	}
	event := fetched(1)
	event.Subject = "caf\xe9"
	header, payload, err := cloudevents.Encode(event)
	if err != nil {
		t.Fatal(err)
	}
	if err := cloudevents.Decode(header, payload, &event); err != nil || event.Subject != "caf\ufffd" {
		t.Errorf("what is not UTF-8 arrives as %q, %v", event.Subject, err)
	}
}

func TestDecodeAcceptsWhatOtherSendersWrite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, header, value, want string }{
		{"lower-case hexadecimal", "ce-subject", "Euro%20%e2%82%ac", "Euro €"},
		{"quoted", "ce-subject", `"Euro \"%E2%82%AC\" \\"`, `Euro "€" \`},
		{"not encoded", "ce-subject", "Euro €", "Euro €"},
		{"encoded without need", "ce-subject", "%41", "A"},
		{"another case", "Ce-Subject", "A", "A"},
	} {
		header, payload, err := cloudevents.Encode(fetched(1))
		if err != nil {
			t.Fatal(err)
		}
		delete(header, "ce-subject")
		header[c.header] = []string{c.value}
		header["ce-futureattribute"] = []string{"1"}
		var event schemas.MailFetched
		if err := cloudevents.Decode(header, payload, &event); err != nil || event.Subject != c.want {
			t.Errorf("%s: subject = %q, %v; want %q", c.name, event.Subject, err, c.want)
		}
		if got := cloudevents.Attribute(header, "subject"); got != c.want {
			t.Errorf("%s: Attribute = %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDecodeRefusesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, attribute, value string }{
		{"cut-off percent-encoding", "subject", "50%2"},
		{"wrong percent-encoding", "subject", "50%zz"},
		{"no UTF-8", "subject", "%ff"},
		{"UID of more than 32 bits", "uid", "4294967296"},
		{"negative UID", "uid", "-1"},
		{"UID that is no number", "uid", "x"},
		{"time that is none", "time", "yesterday"},
		{"missing", "tenant", ""},
	} {
		header, payload, err := cloudevents.Encode(fetched(1))
		if err != nil {
			t.Fatal(err)
		}
		header["ce-"+c.attribute] = []string{c.value}
		if c.value == "" {
			delete(header, "ce-"+c.attribute)
		}
		var event schemas.MailFetched
		if err := cloudevents.Decode(header, payload, &event); err == nil || !strings.Contains(err.Error(), c.attribute) {
			t.Errorf("%s: error = %v, want one that names the attribute", c.name, err)
		}
	}
	if err := cloudevents.Decode(nil, nil, schemas.MailFetched{}); err == nil {
		t.Error("an event that is no pointer is accepted")
	}
	if _, _, err := cloudevents.Encode("text"); err == nil {
		t.Error("a string is encoded")
	}
}

func TestDecodeLeavesNothingOfTheEventBefore(t *testing.T) {
	t.Parallel()
	event := fetched(10)
	header, payload, err := cloudevents.Encode(event)
	if err != nil {
		t.Fatal(err)
	}
	want := event
	event.Reason, event.DataRef = schemas.ReasonOversize, "blob"
	if err := cloudevents.Decode(header, payload, &event); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(event, want) {
		t.Errorf("decoded %+v, want %+v", event, want)
	}
}

func TestAppendingToOneHeaderLeavesTheOthers(t *testing.T) {
	t.Parallel()
	header, _, err := cloudevents.Encode(fetched(1))
	if err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(header)
	for name := range header {
		_ = append(header[name], "more")
	}
	if !reflect.DeepEqual(header, want) {
		t.Errorf("headers share their values: %v", header)
	}
}
