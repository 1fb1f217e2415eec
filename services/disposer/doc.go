// Package disposer takes mail out of the inbox after its outcome is committed:
// it moves or deletes it on the mail server, as the mailbox's policy says. It
// is the only package that changes anything on a mail server.
//
// Consumes: mailyard.mail.dispose.v1
// Emits: mailyard.mail.disposed.v1, mailyard.mail.dead.v1, mailyard.mail.parked.v1
// Stores: nothing; it clears the in-flight marks in Redis
// Leases: the partitions of the stream DISPOSE, so that one replica serves a
// mailbox over one connection; at a hand-over, orders that wait are given back,
// and a command that runs has ten seconds to end
// On failure: every command is fenced by UIDVALIDITY and may be repeated; a
// mail server that is away or throttles, and a mailbox that is disabled, delay
// the disposal for as long as it takes; a server that refuses it is tried again on RETRY
// and becomes a dead letter after the last attempt. When the server ends the
// connection again and again, the orders are halved until the mail at which it
// does stands alone, which then counts as refused; the others are disposed of.
package disposer
