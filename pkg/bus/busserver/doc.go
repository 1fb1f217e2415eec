// Package busserver runs a NATS server with JetStream inside the process, for
// the all-in-one program and for tests. It knows nothing of streams and
// subjects: those are package bus's. Services that run on their own must not
// link it.
package busserver
