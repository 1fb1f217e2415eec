package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFolderProblems(t *testing.T) {
	t.Parallel()
	good := Folder{Tenant: "acme", ID: "support", Name: "Support", Address: "support@example.com"}
	if p := ValidateFolder(good); len(p) > 0 {
		t.Fatal(p)
	}
	for name, test := range map[string]struct {
		change func(*Folder)
		want   string // the beginning of the message
	}{
		"no name":       {func(f *Folder) { f.Name = "" }, "name: is required"},
		"no address":    {func(f *Folder) { f.Address = "" }, "address: is required"},
		"no mailbox":    {func(f *Folder) { f.Address = "support" }, `address: "support" is not an email address: `},
		"display name":  {func(f *Folder) { f.Address = "Support <support@example.com>" }, `address: "Support <support@example.com>" is not an email address: `},
		"bad alias":     {func(f *Folder) { f.Aliases = []string{"help@example.com", "@"} }, `aliases[1]: "@" is not an email address: `},
		"same alias":    {func(f *Folder) { f.Aliases = []string{"SUPPORT@Example.COM"} }, "aliases[0]: SUPPORT@Example.COM stands twice"},
		"same IDN":      {func(f *Folder) { f.Aliases = []string{"a@bücher.example", "A@xn--bcher-kva.example"} }, "aliases[1]: A@xn--bcher-kva.example stands twice"},
		"reserved id":   {func(f *Folder) { f.ID = "invalid" }, "id: invalid is reserved: it is a value of unmatched"},
		"control":       {func(f *Folder) { f.Description = "a\x00" }, "description: holds a control character"},
		"many aliases":  {func(f *Folder) { f.Aliases = make([]string, 1001) }, "aliases: has 1001 addresses; at most 1000 are allowed"},
		"tenant needed": {func(f *Folder) { f.Tenant = "" }, "tenant: is required"},
	} {
		f := good
		test.change(&f)
		if got := ValidateFolder(f); len(got) != 1 || !strings.HasPrefix(got.Error(), test.want) {
			t.Errorf("%s:\n got %q\nwant %q…", name, got, test.want)
		}
	}
}

func TestTenantProblems(t *testing.T) {
	t.Parallel()
	got, problems := DecodeTenant([]byte(`{"id":"acme","name":"Acme","limits":{"mailboxes":5}}`), DefaultTenant())
	want := Tenant{ID: "acme", Name: "Acme", MessagingDatabase: "default"}
	want.Limits.Mailboxes = 5
	if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
		t.Errorf("%v -want +got:\n%s", problems, diff)
	}
	for raw, want := range map[string]string{
		`{"id":"acme"}`: "name: is required",
		`{"id":"acme","name":"A","messaging_database":"postgres://u:p@h/db"}`: `messaging_database: "postgres://u:p@h/db" is not an id: 1 to 63 of a-z, 0-9 and -, not beginning or ending with -`,
		`{"id":"acme","name":"A","limits":{"mail_per_day":-1}}`:               "limits.mail_per_day: -1 is not a limit; 0 means none",
	} {
		if _, problems := DecodeTenant([]byte(raw), DefaultTenant()); problems.Error() != want {
			t.Errorf("%s: got %q, want %q", raw, problems, want)
		}
	}
}
