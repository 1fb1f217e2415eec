// Package mailhost is what connections to mail servers have in common, whatever
// the protocol: the target, the kinds of trouble, TLS as the settings demand and
// its failures explained, the stages of a connection for those who watch it, and
// the server's text made fit to be shown.
//
// What does not belong here: a protocol (packages imapconn and smtpconn), where
// connections may go (package egress).
package mailhost
