// Package credential turns a mailbox's configuration into what its mail server
// is dialled with, and how: it opens the password with the landlord's master key,
// and dials only where the landlord allows. Only
// the services that talk to mail servers link it.
package credential
