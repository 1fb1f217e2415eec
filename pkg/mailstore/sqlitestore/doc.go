// Package sqlitestore keeps the messaging database in a SQLite file: write-ahead
// log, synchronous FULL, one writer. It is for a single machine; several
// processes may have the file open, and take turns.
//
// Not here: the schema (schemas/messaging).
package sqlitestore
