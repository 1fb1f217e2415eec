package config

import "embed"

// Files holds the JSON Schemas of the documents: tenant.json, folder.json and
// mailbox.json. What takes more than one key to decide (max_light_bytes does
// not exceed max_email_bytes), or other documents, is said in descriptions.
//
//go:embed tenant.json folder.json mailbox.json
var Files embed.FS
