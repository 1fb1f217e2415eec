// Package lease is what replicas agree on through Redis: which of them serves
// what (Group: membership, rendezvous shares, leases with fencing), which mails
// are in flight (marks), how many connections a server may get from all of them
// together (Budget), how often something happened lately (Window), and, for the
// console, the state of every mailbox, its last SMTP test and its protocol log
// while one is kept.
//
// Redis holds nothing that cannot be had again: it may be flushed or be away at
// any time. All deadlines are decided by Redis' own clock (TIME, in Lua) and
// kept as values; keys also get a TTL, but only so that leftovers go. So the
// embedded server of leaseserver, whose TTLs do not tick, behaves the same.
//
// What must survive, and who may do what, do not belong here.
package lease
