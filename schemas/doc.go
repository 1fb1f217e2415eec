// Package schemas holds mailyard's contracts: the events that its services
// exchange, the subjects and streams they travel on, and the words they use.
// It imports nothing else of mailyard, so that other programs can depend on it.
//
// The JSON Schemas in events/, config/ and apply/, asyncapi.yaml and the SQL in
// messaging/ are the truth; the Go types mirror them, and tests hold both
// together. Within a version only optional properties are added; consumers
// ignore what they do not know.
package schemas
