// Package persister commits mail to the tenant's messaging database. One
// transaction holds a whole batch, and of each mail everything: its row, an
// item per clone, its addresses, attachments and raw bytes. Only after the
// commit does it ask for the disposal and tell the database's consumers, and
// only after that does it acknowledge. When no disposal is recorded for 15
// minutes, because the order or the answer was lost with NATS, it asks again.
//
// Consumes: mailyard.mail.classified.v1, mailyard.mail.disposed.v1
// Emits: mailyard.mail.dispose.v1, mailyard.mail.persisted.v1, mailyard.mail.rejected.v1, mailyard.mail.dead.v1, mailyard.mail.parked.v1
// Stores: the messaging databases
// Leases: nothing; any number of replicas share the consumers of both lanes
// On failure: while a database is away, from the start on or later, it stops
// pulling and waits, or, where there are several, puts its mail on RETRY; a batch that
// a database refuses is halved until the mail at fault stands alone, which is
// tried again on RETRY and becomes a dead letter after the last attempt; a mail
// that was delivered three times without an outcome is handled alone, and after
// 20 times becomes a dead letter; a mail whose blob is gone is released, so that
// it is fetched again.
package persister
