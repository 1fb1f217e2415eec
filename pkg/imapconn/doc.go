// Package imapconn speaks IMAP to the servers that mail is taken from: signing
// in over the three secure connection types, listing, streaming download, the
// watch for new mail, and moving or deleting mail without ever losing one.
//
// It wraps github.com/emersion/go-imap/v2 and puts around it what a long-lived
// drain of servers that nobody chose needs: deadlines that follow progress,
// limits on everything a server may send, a filter for the answers that would
// break the parser, completeness checks, and its own state machines for MOVE
// and for its substitutes.
//
// What does not belong here: which mails are fetched and when (the fetcher),
// what is in a mail (package message), credentials at rest (package secret).
package imapconn
