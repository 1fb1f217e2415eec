// Package bustest helps tests that need NATS: an embedded server with
// mailyard's topology that can be restarted and wiped, and a Tap that records
// every event and checks it against its schema.
package bustest
