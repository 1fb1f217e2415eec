// Package smtpconn hands mail to the server that a mailbox sends through (RFC
// 6409): connecting over the three secure connection types, signing in, sending.
//
// It wraps github.com/emersion/go-smtp. The way to TLS is spoken by hand, so that
// nothing said in the clear counts later; around the rest are deadlines for every
// step and limits on what a server may say.
//
// What does not belong here: which mail is sent and when, what is in it, and
// credentials at rest (package secret).
package smtpconn
