package operation_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// What a page gives to ask for the next one holds all that is needed for it.
func TestPagesOfTheLedger(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	ask := func(before string) (operation.MailPage, error) {
		return o.Desk.ListMails(t.Context(), o.Rita.Actor, &operation.ListMails{InTenant: operation.InTenant{Tenant: "acme"}, Before: before, Limit: 1})
	}
	cursor := func(at time.Time, tenant string) string {
		return strconv.FormatInt(at.UnixNano(), 36) + "." + o.Control.Sealer("mail", tenant).Seal(1)
	}
	for uid := range uint32(2) {
		m := mailstore.Mail{
			Key: schemas.MailKey{Tenant: "acme", Mailbox: o.Acme.Mailbox, UIDValidity: 7, UID: 10 + uid}, Lane: schemas.Light, SHA256: fmt.Sprintf("%064x", 10+uid),
			InternalDate: time.Now(), FetchedAt: time.Now(), Decision: schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonNoMatchingFolder, ClassifiedAt: time.Now(), Revision: 3},
		}
		if _, err := o.Store.Persist(t.Context(), []mailstore.Mail{m}); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	page, err := ask("")
	for {
		if err != nil || len(page.Mails) != 1 || len(seen) > 3 {
			t.Fatalf("%+v, %v", page, err)
		}
		seen = append(seen, page.Mails[0].MailID)
		if page.Next == "" {
			break
		}
		page, err = ask(page.Next)
	}
	if all := slices.Compact(slices.Sorted(slices.Values(seen))); len(all) != 3 {
		t.Errorf("the pages show %v", seen)
	}
	last, err := ask(cursor(page.Mails[0].PersistedAt, "acme"))
	if err != nil || len(last.Mails) != 0 {
		t.Errorf("behind the last: %+v, %v", last, err)
	}
	for _, before := range []string{"7", "-1", "0.0", "0.1", "4611686018427387904", "'", cursor(page.Mails[0].PersistedAt, "rival")} {
		if _, err := ask(before); operation.ProblemOf(err).Status != http.StatusUnprocessableEntity || operation.ProblemOf(err).Errors[0].Path != "before" {
			t.Errorf("%q: %v", before, err)
		}
	}
}
