// Package demo is what `mailyard up --demo` shows mailyard with: a demo mail
// server on loopback, a demo tenant with folders and a mailbox, and sample mails
// of every kind that trickle in.
package demo
