// Package messaging holds the contract of the messaging database: the SQL
// migrations for PostgreSQL and SQLite, and README.md, which explains the views
// to those who read them. The views are the same in both databases.
//
// Not here: the code that runs migrations and writes mail (pkg/mailstore).
package messaging
