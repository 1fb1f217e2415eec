// Package fetcher takes mail out of IMAP mailboxes into the pipeline. It never
// changes anything on a mail server: flags are never written, and only \Deleted
// is read.
//
// A mailbox is served by the replica that holds its lease: one watch connection
// lists and waits (IDLE), and one connection per lane downloads. What waits is
// kept in a backlog, from which each lane takes the oldest mails; a mail is
// marked in flight once it is safe in its stream, and listed again when the
// mark ends before the mail has left the inbox.
//
// Consumes: nothing; it reads IMAP mailboxes
// Emits: mailyard.mail.fetched.v1, mailyard.mailbox.state.v1, mailyard.mail.dead.v1, mailyard.mail.parked.v1
// Stores: nothing; in-flight marks, states and budgets are in Redis
// Leases: the mailboxes, one replica each
// On failure: a lane connects again by itself; what else a lane meets (refused
// credentials, throttling, another UIDVALIDITY) ends the session, and the
// mailbox's schedule goes on. A mail that cannot be downloaded is tried alone,
// ever later, and becomes a dead letter after the last attempt, while the others
// go on; lost connections alone make none within half an hour. A mail server
// that is away is tried again on a slowing schedule, forever; refused
// credentials wait for an administrator, with one attempt an hour. A full stream
// stops the downloads.
package fetcher
