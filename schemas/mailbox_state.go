package schemas

import "time"

// TypeMailboxState is the CloudEvents type of MailboxStateChanged.
const TypeMailboxState = "mailyard.mailbox.state.v1"

// MailboxStateChanged tells that a mailbox entered another state. Sent by the fetcher.
type MailboxStateChanged struct {
	Attributes
	Data MailboxState `json:"data"`
}

// MailboxState is what is known of a mailbox at a moment.
type MailboxState struct {
	Tenant      string        `json:"tenant"`
	Mailbox     string        `json:"mailbox"`
	Status      MailboxStatus `json:"status"`
	Detail      string        `json:"detail,omitempty"` // what happened and how to mend it, for people; no secrets
	Since       time.Time     `json:"since"`
	LastSuccess *time.Time    `json:"last_success,omitempty"` // when the server last answered a listing
	NextAttempt *time.Time    `json:"next_attempt,omitempty"` // set while the mailbox waits to try again
	Waiting     int           `json:"waiting"`                // mails in the inbox that are not yet fetched
	InFlight    int           `json:"in_flight"`              // mails fetched and not yet disposed of
	Parked      int           `json:"parked"`                 // dead letters whose mails wait in the inbox
	Revision    int64         `json:"revision"`               // config revision that is in force
	Replica     string        `json:"replica,omitempty"`      // who serves the mailbox
	ObservedAt  *time.Time    `json:"observed_at,omitempty"`  // when Replica wrote this; it does so every few seconds
}
