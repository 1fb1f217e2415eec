// Package demoserver is a small IMAP server for demonstrations and tests: users
// with passwords, folders, mails. It speaks IMAP4rev1 with MOVE, UIDPLUS, IDLE,
// ESEARCH and NAMESPACE, and STARTTLS when it is given a certificate. Over SMTP it
// takes what its users send to each other, and to any address of their domains.
//
// It is persistent: every change is in files before it is answered, one file per
// mail, so that mails, UIDs and UIDVALIDITY survive a restart and a kill. Nothing
// is synced to the disk; a power cut may lose the last moments.
//
// What does not belong here: anything a real mail server needs besides, such as
// sending mail elsewhere, quotas or access control. Keep it on a loopback address.
package demoserver
