// Package reader implements the reading half of mailstore.Store for both back
// ends: their tables differ in types and keys, but have the same columns.
// Queries are written for PostgreSQL; a Dialect says what SQLite does otherwise.
package reader
