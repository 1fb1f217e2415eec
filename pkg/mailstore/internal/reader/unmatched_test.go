package reader

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/pkg/routing"
)

// What routing decides and what is told of it belong together: an address that
// nobody has is found whichever header it stands in.
func TestEveryAddressThatMatchesNothingIsTold(t *testing.T) {
	t.Parallel()
	rules := routing.Rules{Tenant: "acme", Mailbox: "info", Login: "info@acme.example", Unmatched: "invalid",
		Folders: []routing.Folder{{ID: "sales", Name: "Sales", Addresses: []string{"sales@acme.example"}}}}
	for header, want := range map[string][]string{
		"To: jobs@acme.example\r\n\r\n": {"jobs@acme.example"},
		"Delivered-To: jobs@acme.example\r\nReceived: from x by y\r\nTo: friends@elsewhere.example\r\n\r\n": {"jobs@acme.example", "friends@elsewhere.example"},
		"Subject: nobody\r\n\r\n": nil,
	} {
		h, _, _ := message.ScanHeader([]byte(header))
		raw, err := json.Marshal(routing.Compile(rules).Route(h).Recipients)
		if err != nil {
			t.Fatal(err)
		}
		u := &unmatched{at: map[unmatchedKey]int{}}
		if err := u.mail(mailstore.UnmatchedAddress{Tenant: "acme", Mailbox: "info"}, raw); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, a := range u.list {
			got = append(got, a.Address)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", header, diff)
		}
	}
}
