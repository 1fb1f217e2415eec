package cloudevents_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

func TestStructuredRendersPayloadsByContentType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, contentType, payload, want string }{
		{"JSON", "application/json", `{"uids":[1,4294967295]}`, `"data":{"uids":[1,4294967295]}`},
		{"JSON by suffix", "application/problem+json", `null`, `"data":null`},
		{"mail", "message/rfc822", "a: b\r\n\r\n\xff", `"data_base64":"YTogYg0KDQr/"`},
		{"no content type", "", "\x00", `"data_base64":"AA=="`},
		{"no payload", "message/rfc822", "", `"data_base64":""`},
		{"decision", schemas.ContentDecision, "{\"verdict\":\"accepted\",\"future\":1}\nmail\nbody", `"data":{"decision":{"verdict":"accepted","future":1},"mail":"bWFpbApib2R5"}`},
		{"NATS message", schemas.ContentNATS, "NATS/1.0\r\nce-id: 1\r\n\r\nhi", `"data":{"header":{"ce-id":["1"]},"payload":"aGk="}`},
	} {
		header := map[string][]string{"ce-type": {"example"}, "Nats-Msg-Id": {"7"}, "CE-Subject": {"Euro%20%E2%82%AC"}}
		want := `{` + c.want + `,"subject":"Euro €","type":"example"}`
		if c.contentType != "" {
			header["ce-datacontenttype"] = []string{c.contentType}
			want = `{` + c.want + `,"datacontenttype":"` + c.contentType + `","subject":"Euro €","type":"example"}`
		}
		got, err := cloudevents.Structured(header, []byte(c.payload))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !equalJSON(t, got, []byte(want)) {
			t.Errorf("%s: rendered %s, want %s", c.name, got, want)
		}
	}
}

func TestStructuredRefusesWhatIsNoCloudEvent(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]struct {
		header  map[string][]string
		payload string
	}{
		"name of an attribute":  {map[string][]string{"ce-bad_name": {"1"}}, ""},
		"data as an attribute":  {map[string][]string{"ce-data": {"1"}}, ""},
		"twice in another case": {map[string][]string{"ce-id": {"1"}, "CE-ID": {"2"}}, ""},
		"two values":            {map[string][]string{"ce-id": {"1", "2"}}, ""},
		"percent-encoding":      {map[string][]string{"ce-id": {"%"}}, ""},
		"broken JSON":           {map[string][]string{"ce-datacontenttype": {"application/json"}}, "{"},
		"broken decision":       {map[string][]string{"ce-datacontenttype": {schemas.ContentDecision}}, "{\nmail"},
		"broken NATS message":   {map[string][]string{"ce-datacontenttype": {schemas.ContentNATS}}, "NATS/1.0\r\n"},
	} {
		if got, err := cloudevents.Structured(message.header, []byte(message.payload)); err == nil {
			t.Errorf("%s: rendered as %s", name, got)
		}
	}
}

func TestStructuredIsWhatEncodingJSONGives(t *testing.T) {
	t.Parallel()
	event := fetched(5000)
	header, payload, err := cloudevents.Encode(event)
	if err != nil {
		t.Fatal(err)
	}
	got, err := cloudevents.Structured(header, payload)
	if err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	if !equalJSON(t, got, want) {
		t.Errorf("rendered %s, want %s", got, want)
	}
}

func equalJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	return reflect.DeepEqual(decodeJSON(t, a), decodeJSON(t, b))
}

func decodeJSON(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, strings.ToValidUTF8(string(raw), "?"))
	}
	return v
}
