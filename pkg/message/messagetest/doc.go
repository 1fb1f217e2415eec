// Package messagetest makes sample mails of every kind that a mailbox meets, in
// code and always the same: for tests of whatever reads or carries mail, and for
// the demo. It is not for production code.
package messagetest
