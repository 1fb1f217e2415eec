package mailstore

import (
	"time"

	"github.com/mailyard/mailyard/schemas"
)

// How long a disposal may take before it is asked for again: at first, and at
// most. In between it is as long as the mail has waited already.
const (
	DisposalTime        = 15 * time.Minute
	LongestDisposalTime = 24 * time.Hour
)

// An Overdue is a mail that was persisted long ago and is not known to have
// left the inbox.
type Overdue struct {
	Key     schemas.MailKey
	Origin  string // as of Mail; never empty
	Verdict schemas.Verdict
}
