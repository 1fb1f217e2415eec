// Package config holds the configuration documents that administrators write:
// tenants, folders and mailboxes. Keys are spelled the same in YAML, JSON,
// REST, on the command line and in events. JSON Schemas stand beside the types.
package config
