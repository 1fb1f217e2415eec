// Package e2e holds the end-to-end scenarios, and nothing else: what happens to
// real mail on a real mail server, from the inbox to the rows in the messaging
// database and the folder it is disposed of to.
//
// A scenario is written once and runs in every topology: all services in one
// process with embedded servers, and (build tag full) a process per service with
// nats-server, Redis and PostgreSQL; against the demo server and (full) Dovecot.
//
// After each scenario every mail must be in exactly the rows it belongs in, the
// inbox empty, each folder on the mail server hold exactly what it should, no
// mail be unaccounted for, and every message on the bus fit its schema.
package e2e
