// Package control is the truth about tenants, folders and mailboxes: the
// control database (SQLite or PostgreSQL), the operations on it, the publisher
// that brings every change to the services, and the rotator that replaces
// tenants' keys.
//
// An operation is authorised, validated against the other documents, written
// together with its audit entry and its outbox row in one transaction, or not
// at all. Writers take turns (the first statement of each transaction takes the
// revision counter), so revisions and outbox rows have one order, that of the
// commits, whatever the number of processes.
//
// Rules that a document keeps by itself belong to package config; the state of
// mailboxes at run time is not here but in Redis.
package control
