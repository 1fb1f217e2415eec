package mailstore

import (
	"time"

	"github.com/mailyard/mailyard/schemas"
)

// Stats are counts of mail. They count what was ever persisted, also mail that
// was deleted from the messaging database since.
type Stats struct {
	Mailboxes []MailboxStats `json:"mailboxes"` // by tenant and id; only those that ever had mail
}

// MailboxStats are the counts of one mailbox. Days are UTC days.
type MailboxStats struct {
	Tenant           string                   `json:"tenant"`
	Mailbox          string                   `json:"mailbox"`
	Accepted         int64                    `json:"accepted"`
	Invalid          map[schemas.Reason]int64 `json:"invalid"`
	Bytes            int64                    `json:"bytes"` // of all mail as it was on the mail server
	AcceptedToday    int64                    `json:"accepted_today"`
	InvalidToday     int64                    `json:"invalid_today"`
	LastPersisted    time.Time                `json:"last_persisted"`
	Undisposed       int64                    `json:"undisposed"`        // persisted, not known to have left the inbox
	OldestUndisposed *time.Time               `json:"oldest_undisposed"` // when the oldest of them was persisted
}
