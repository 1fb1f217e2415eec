package contract_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/schemas"
)

// maxMessage is what an event may need at most: the server refuses messages of
// 1 MiB, and the server's and the sender's own headers need some of it.
const maxMessage = 900_000

// No event of JSON, with every string and list as long as its schema allows,
// outgrows what its streams take. Events with mail have the sender's limit for
// inline mail instead.
func TestTheLargestEventFitsInAMessage(t *testing.T) {
	t.Parallel()
	streams := readMap(t).JetStream
	for _, event := range schemas.Events() {
		doc := document(t, event)
		attributes := properties(doc)
		if attributes["datacontenttype"]["const"] != schemas.ContentJSON {
			continue
		}
		size := largest(attributes["data"])
		delete(attributes, "data")
		for name, attribute := range attributes {
			// In a header, a character of four octets is percent-encoded to twelve.
			size += len("ce-: \r\n") + len(name) + 2*largest(attribute)
		}
		limit := maxMessage
		for _, name := range event.Streams {
			limit = min(limit, int(streams[name].MaxMsgSize))
		}
		if size >= limit {
			t.Errorf("%s may need %d bytes, its stream takes %d", event.Type, size, limit)
		}
		t.Logf("%s: %d bytes at most, %d allowed", event.Type, size, limit)
	}
}

func TestInlineMailIsBoundedAsSendersBoundIt(t *testing.T) {
	t.Parallel()
	for _, event := range schemas.Events() {
		attributes := properties(document(t, event))
		mail := attributes["data_base64"]
		if data := properties(attributes["data"]); data["mail"] != nil {
			mail = data["mail"]
		}
		if mail == nil {
			continue
		}
		if want := base64.StdEncoding.EncodedLen(schemas.MaxInline); number(mail["maxLength"]) != want {
			t.Errorf("%s: mail is bounded to %v characters of base64, %d octets need %d", event.Type, mail["maxLength"], schemas.MaxInline, want)
		}
	}
}

func TestDecisionsAreBoundedAsTheClassifierBoundsThem(t *testing.T) {
	t.Parallel()
	for _, event := range schemas.Events() {
		decision := properties(properties(document(t, event))["data"])["decision"]
		if decision == nil {
			continue
		}
		if got := number(properties(decision)["clones"]["maxItems"]); got != schemas.MaxClones {
			t.Errorf("%s: at most %d clones, in Go %d", event.Type, got, schemas.MaxClones)
		}
		if want := fmt.Sprintf("at most %d octets", schemas.MaxDecision); !strings.Contains(decision["description"].(string), want) {
			t.Errorf("%s: the decision is not said to have %s", event.Type, want)
		}
	}
}

// largest returns the most octets that a value needs in JSON.
func largest(schema map[string]any) int {
	switch schema["type"] {
	case "string":
		if _, ascii := schema["pattern"]; ascii {
			return number(schema["maxLength"]) + 2
		}
		longest := 6 * number(schema["maxLength"]) // \u0000
		values, _ := schema["enum"].([]any)
		for _, value := range append(values, schema["const"]) {
			if text, ok := value.(string); ok {
				longest = max(longest, len(text))
			}
		}
		return longest + 2
	case "integer":
		return len("-9007199254740991")
	case "boolean":
		return len("false")
	case "array":
		return 2 + number(schema["maxItems"])*(1+largest(schema["items"].(map[string]any)))
	}
	size := 2
	for name, property := range properties(schema) {
		size += len(name) + len(`"":,`) + largest(property)
	}
	return size
}
