// Package pgstore keeps the messaging database in PostgreSQL, version 15 or later.
//
// A batch is one transaction of a fixed number of round trips, whatever its
// size: look up what is there, INSERT … SELECT unnest(…) ON CONFLICT DO NOTHING
// per narrow table, COPY for the tables that hold the bytes. At most two batches
// with large mail are under way at once, so that they never take all connections.
// Not here: the schema (schemas/messaging).
package pgstore
