// Package imaptest starts IMAP servers for tests: Demo, the demo server in a
// temporary folder; Dovecot, a real one (build tag full); and Script, which says
// byte for byte what a test wants said. The first two have the same surface, so
// that one suite runs against both.
package imaptest
