// Package contracttest holds no code, only the tests that hold the services to
// the contracts: asyncapi.yaml says the same as the topology in pkg/bus, and as
// the contract blocks of the services; what the bus sends for all of them is
// valid.
//
// A contract block stands at the end of the package comment in the doc.go of
// every service, each entry beginning on a line of its own, in this order:
//
//	Consumes: <event types>
//	Emits: <event types>
//	Stores: <what, in plain words>
//	Leases: <what, in plain words>
//	On failure: <plain words>
//
// Event types are CloudEvents types, separated by commas, on the same line;
// "nothing", and after a semicolon why, when there are none. For example:
//
//	Consumes: mailyard.mail.fetched.v1
//	Emits: mailyard.mail.classified.v1, mailyard.mail.dead.v1, mailyard.mail.parked.v1
//
// Consumes lists the types that asyncapi.yaml has a receive operation of the
// service for, Emits those that it has a send operation for: neither more nor
// fewer. Redelivery through the stream RETRY and replay of dead letters do not
// count. The admin service consumes nothing (the advisories are the server's
// own) and emits config.changed, mail.dead and mail.parked.
package contracttest
