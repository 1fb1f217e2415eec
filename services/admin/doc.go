// Package admin keeps an installation in shape, and is what people and programs
// administer it by.
//
// It provisions the streams, publishes the configuration from the control
// database, where it is true, to the bucket CONFIG, where services follow it,
// goes on with the rotation of keys, and runs the pumps of the bus: retries of
// disposals and the back-stop for messages that no consumer settled.
//
// Its doors are in packages of their own: console and rest on one listener, and
// apply for requests on NATS. All three lead to a Desk of package operation.
//
// Consumes: nothing
// Emits: mailyard.config.changed.v1, mailyard.mail.dead.v1, mailyard.mail.parked.v1
// Stores: the control database; the doors read the messaging databases, and the
// states of the mailboxes in Redis
// Leases: nothing; several replicas do no harm to each other
// On failure: what NATS lost is provisioned and published again within
// seconds; a change that is committed and not yet published is published at
// the next start. While a messaging database or Redis is away, the doors show
// what they know without it.
package admin
