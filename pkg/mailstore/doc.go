// Package mailstore is the messaging database as mailyard sees it: what is
// persisted of a mail, and what the console and the command line read back.
// pgstore and sqlitestore implement Store; storetest is the suite that both
// pass.
//
// Not here: the schema and the views for other programs (schemas/messaging),
// parsing (pkg/message), and the decision where a mail belongs (pkg/routing).
package mailstore
