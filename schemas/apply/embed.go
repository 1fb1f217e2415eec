package apply

import "embed"

// Files holds the JSON Schemas of request and answer: request.json, answer.json.
//
//go:embed request.json answer.json
var Files embed.FS
