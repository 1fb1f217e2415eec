package fetcher

import "github.com/mailyard/mailyard/pkg/lease"

// marks names the in-flight marks of the account that the mailbox has now, in
// the streams as they are now: those of another one are void.
func (s *session) marks() lease.Mailbox {
	return lease.Mailbox{Tenant: s.tenant, ID: s.id, Epoch: s.epoch.get() + "." + s.origin()}
}

func (s *session) origin() string { return s.view.Mailbox.Document.Origin() }
