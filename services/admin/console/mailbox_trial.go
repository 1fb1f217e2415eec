package console

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// bulkTestView is the dialog in which many mailboxes are tested.
type bulkTestView struct {
	Names  string
	Count  int
	Post   string
	Hidden []pair
	Limit  string // for one mailbox
}

// A bulkTested is what the test of one of many mailboxes said.
type bulkTested struct {
	ID    string
	State badge
	bulkFailure
}

// bulkTestEnd is the end of it.
type bulkTestEnd struct {
	Tone tone
	Text string
}

// bulkTest tests many mailboxes, a few at a time, and shows each outcome as it
// becomes known.
func (c *console) bulkTest(r *request) error {
	in := r.bulkOf()
	in.Body.Action = operation.BulkTest
	plan, err := r.plan(in)
	if err != nil {
		return err
	}
	if r.PostFormValue("count") != strconv.Itoa(len(plan.Results)) {
		return &operation.Problem{Title: "Changed", Status: http.StatusConflict, Detail: fmt.Sprintf("These are %s now. Close this, and look again.", plural(len(plan.Results), "mailbox", "mailboxes"))}
	}
	s := r.stream()
	done, failed := 0, 0
	for few := range slices.Chunk(plan.Results, testedAtOnce) {
		one := operation.BulkMailboxes{InTenant: r.inTenant(), Body: operation.Bulk{Action: operation.BulkTest}}
		for _, o := range few {
			one.Body.IDs = append(one.Body.IDs, o.ID)
			waiting := bulkTested{ID: elementID("tested", o.ID), State: badge{Tone: toneBusy, Text: "Testing"}, bulkFailure: bulkFailure{Name: bulkName(o), Path: r.path("mailboxes", o.ID)}}
			if err := s.send("bulk-tested", waiting); err != nil {
				return nil // the browser is gone
			}
		}
		out, err := r.desk.BulkMailboxes(r.Context(), r.actor, &one)
		if err != nil {
			return s.fail(err)
		}
		if r.Context().Err() != nil {
			return nil
		}
		for _, o := range out.Results {
			t := bulkTested{ID: elementID("tested", o.ID), State: badge{Tone: toneOK, Text: "Passed"}, bulkFailure: bulkFailure{Name: bulkName(o), Path: r.path("mailboxes", o.ID)}}
			if !o.OK {
				t.State, t.bulkFailure = badge{Tone: toneBad, Text: "Failed"}, r.bulkFailure(o)
			}
			if err := s.send("bulk-tested", t); err != nil {
				return nil // the browser is gone
			}
		}
		done, failed = done+out.Done, failed+out.Failed
	}
	end := bulkTestEnd{toneOK, "All " + plural(done, "test", "tests") + " passed."}
	switch {
	case failed > 0:
		end = bulkTestEnd{toneBad, fmt.Sprintf("%s passed, %s failed.", countText(done), countText(failed))}
	case done == 1:
		end.Text = "The test passed."
	}
	return s.send("bulk-test-end", end)
}
