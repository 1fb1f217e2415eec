package doctor

import (
	"context"
	"time"

	"github.com/mailyard/mailyard/pkg/routing"
	"github.com/mailyard/mailyard/schemas"
)

// DryRunOptions choose the mails of a dry run.
type DryRunOptions struct {
	Newest    int            // how many mails are told of; 0: 50, at most 500
	Since     string         // as import_since: "all", "new", or a date; empty: all
	EnabledAt time.Time      // with "new": when the mailbox was enabled; zero: now
	Route     *routing.Table // where mail goes
}

// A DryRun tells what would happen to the mails that wait in the inbox.
type DryRun struct {
	Total       int           `json:"total"`        // mails in the inbox, without those marked as deleted
	WouldImport int           `json:"would_import"` // of them, by import_since
	LeftAlone   int           `json:"left_alone"`   // the rest: older, never touched
	Mails       []DryRunMail  `json:"mails"`        // the newest that would be imported, newest first
	Summary     []DryRunCount `json:"summary"`      // of Mails, most first
}

// A DryRunMail is one mail and what would happen to it.
type DryRunMail struct {
	UID          uint32           `json:"uid"`
	Size         int64            `json:"size"` // bytes, as the server tells
	Date         time.Time        `json:"date,omitzero"`
	InternalDate time.Time        `json:"internal_date,omitzero"` // arrival
	From         string           `json:"from"`
	Subject      string           `json:"subject"`
	Lane         schemas.Lane     `json:"lane"`
	Decision     schemas.Decision `json:"decision"`
	Reason       string           `json:"reason"` // why, for people
	Server       string           `json:"server"` // what would happen on the server, for people
}

// A DryRunCount is how many of the mails would go the same way.
type DryRunCount struct {
	Count   int            `json:"count"`
	Folders []string       `json:"folders,omitempty"` // names; none: invalid
	Reason  schemas.Reason `json:"reason,omitempty"`  // with no folders
	Text    string         `json:"text"`              // "6 → Support + Sales", "3 unmatched"
}

// DryRun looks at the newest mails of the inbox and tells where each would go. It
// opens the inbox read-only and asks for sizes and header sections only: nothing
// on the server changes, no flag, no UID, no folder. A failure is a *StepError.
func (d Doctor) DryRun(ctx context.Context, req Request, opts DryRunOptions) (DryRun, error) {
	ctx, cancel, r := d.begin(ctx, req, nil)
	defer cancel()
	if _, err := r.open(ctx); err != nil {
		return DryRun{}, err
	}
	defer r.close()
	return r.dryRun(ctx, opts)
}
