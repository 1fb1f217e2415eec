// Package classifier decides which folders a mail belongs in. It is a pure
// function of the mail's header section and of the mailbox's folders, which it
// follows in the bucket CONFIG; it opens neither mail servers nor databases. Of a
// mail that says that it is a test of the doctor's it asks the bucket CONTROL
// whether it is.
//
// Consumes: mailyard.mail.fetched.v1
// Emits: mailyard.mail.classified.v1, mailyard.mail.dead.v1, mailyard.mail.parked.v1
// Stores: nothing
// Leases: nothing; any number of replicas share the consumers of both lanes
// On failure: a message whose mailbox is not known is tried again on RETRY;
// one that cannot be decoded, that was delivered 20 times without an outcome, or
// whose mail is addressed to more than 1,000 folders, becomes a dead letter; from
// the third delivery on it is handled alone. While the classified stream is full
// or NATS is away, the fetched messages wait in their stream.
package classifier
