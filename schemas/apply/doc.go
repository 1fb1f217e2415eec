// Package apply holds the contract of changing the configuration by events:
// request and answer on the subjects config.v1.apply.<kind> (NATS request and
// reply). The kind is the first half of an operation's name, the request names
// the other: "mailbox.put" is {"operation": "put", "input": {…}} on
// config.v1.apply.mailbox. The operations and their inputs are those of the
// REST API (openapi.yaml); who asks is told by the header
// "Authorization: Bearer <API token>".
//
// The JSON Schemas request.json and answer.json are the truth; the Go types
// mirror them.
package apply
