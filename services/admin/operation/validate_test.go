package operation

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

// What the tags of an input refuse is refused before anything is done: the desk
// has nothing to do it with.
func TestInputIsChecked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, input string
		want        config.Problem
	}{
		{"mailbox.list", `{}`, config.Problem{Path: "tenant", Message: "is required"}},
		{"mailbox.list", `{"tenant":7}`, config.Problem{Path: "tenant", Message: "must be text"}},
		{"mailbox.list", `{"tenant":"acme","limit":501}`, config.Problem{Path: "limit", Message: "must be at most 500"}},
		{"mailbox.list", `{"tenant":"acme","limit":-1}`, config.Problem{Path: "limit", Message: "must be at least 0"}},
		{"mailbox.list", `{"tenant":"acme","limit":1.5}`, config.Problem{Path: "limit", Message: "must be a whole number"}},
		{"mailbox.list", `{"tenant":"acme","attention":"yes"}`, config.Problem{Path: "attention", Message: "must be true or false"}},
		{"mailbox.list", `{"tenant":"acme","status":"live"}`, config.Problem{Path: "status", Message: "must be a list"}},
		{"mailbox.list", `{"tenant":"acme","enabled":"perhaps"}`, config.Problem{Path: "enabled", Message: "must be one of true, false"}},
		{"mailbox.list", `{"tenant":"acme","colour":"red"}`, config.Problem{Path: "colour", Message: "is not a key that is known here"}},
		{"mailbox.list", `{"tenant":"a\u0000"}`, config.Problem{Path: "tenant", Message: "holds a NUL character"}},
		{"mailbox.list", `null`, config.Problem{Message: "must be an object"}},
		{"mailbox.bulk", `{"tenant":"acme","bulk":{"action":"enable","ids":["a","b\u0000"]}}`, config.Problem{Path: "bulk.ids[1]", Message: "holds a NUL character"}},
		{"mailbox.bulk", `{"tenant":"acme","bulk":{"action":"enable","filter":{"search":"` + strings.Repeat("é", 201) + `"}}}`, config.Problem{Path: "bulk.filter.search", Message: "is too long; the most characters are 200"}},
	}
	for _, test := range tests {
		o, ok := Find(test.name)
		if !ok {
			t.Fatalf("there is no %s", test.name)
		}
		_, err := o.Call(t.Context(), &Desk{}, control.Actor{}, json.RawMessage(test.input))
		var p *Problem
		if !errors.As(err, &p) || p.Status != 422 {
			t.Errorf("%s %s: %v", test.name, test.input, err)
			continue
		}
		if diff := cmp.Diff(config.Problems{test.want}, p.Errors); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.name, test.input, diff)
		}
	}
}

func TestMailMayHoldAnything(t *testing.T) {
	t.Parallel()
	in := &Simulate{InTenant: InTenant{"acme"}, Body: SimulatedMail{Mailbox: "a\x00", Text: "Subject: \x00\xff\r\n\r\n"}}
	if diff := cmp.Diff(config.Problems{{Path: "mailbox", Message: "holds a NUL character"}}, texts(in, restNames())); diff != "" {
		t.Error(diff)
	}
}
