package schemas

import "embed"

// AsyncAPI is the map of all messages: asyncapi.yaml, AsyncAPI 3.0.
//
//go:embed asyncapi.yaml
var AsyncAPI string

// EventFiles holds the JSON Schema of every event type, "events/<name>.json",
// and its examples, "events/<name>/valid-*.json" and "invalid-*.json".
//
//go:embed events
var EventFiles embed.FS
