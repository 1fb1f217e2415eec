package contract_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/schemas/contract"
)

func TestAMessageOfUnknownTypeIsRefused(t *testing.T) {
	t.Parallel()
	for _, header := range []map[string][]string{
		nil,
		{"ce-type": {"mailyard.mail.fetched.v99"}},
		{"ce-type": {""}},
	} {
		if err := contract.Validate(header, nil); !errors.Is(err, contract.ErrUnknownType) {
			t.Errorf("Validate(%v) = %v, want ErrUnknownType", header, err)
		}
	}
}

func TestStrictRefusesUnknownPropertiesAtEveryDepth(t *testing.T) {
	t.Parallel()
	var schema any
	const lenient = `{"properties":{"a":{"items":{"properties":{"b":{}}}},"c":{"additionalProperties":{"properties":{"d":{}}}}},
		"$defs":{"e":{"properties":{"f":{}}}},"allOf":[{"properties":{"g":{}}}]}`
	if err := json.Unmarshal([]byte(lenient), &schema); err != nil {
		t.Fatal(err)
	}
	contract.Strict(schema)
	got, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(got), `"additionalProperties":false`); n != 4 {
		t.Errorf("%d objects refuse what they do not know, want 4 (root, b, d, f): %s", n, got)
	}
}
