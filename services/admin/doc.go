// Package admin keeps an installation in shape: it provisions the streams,
// publishes the configuration from the control database, where it is true, to
// the bucket CONFIG, where services follow it, and runs the pumps of the bus:
// retries of disposals and the back-stop for messages that no consumer settled.
//
// Consumes: nothing
// Emits: mailyard.config.changed.v1, mailyard.mail.dead.v1, mailyard.mail.parked.v1
// Stores: the control database
// Leases: nothing; several replicas do no harm to each other
// On failure: what NATS lost is provisioned and published again within
// seconds; a change that is committed and not yet published is published at
// the next start.
package admin
