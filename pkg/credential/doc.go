// Package credential turns a mailbox's configuration into what its mail server
// is dialled with: it opens the password with the landlord's master key. Only
// the services that talk to mail servers link it.
package credential
