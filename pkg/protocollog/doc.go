// Package protocollog keeps the protocol logs of the mailboxes that a replica
// serves, while they are switched on: it follows which are, gives their
// connections something to tell to, and writes what they tell in batches.
//
// What is left out of a line belongs to who speaks the protocol (package
// imapconn), where the lines are kept to package lease.
package protocollog
