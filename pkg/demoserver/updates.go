package demoserver

import "github.com/emersion/go-imap/v2/imapserver"

// Poll tells what changed since the client was last told. Expunged mails keep
// their sequence numbers until they may be told (RFC 3501, section 7.4.1).
func (s *session) Poll(w *imapserver.UpdateWriter, allowExpunge bool) error {
	if s.account == nil {
		return nil
	}
	s.account.mu.Lock()
	expunged, changed, exists := s.catchUp(allowExpunge)
	s.account.mu.Unlock()
	for _, seq := range expunged {
		if err := w.WriteExpunge(seq); err != nil {
			return err
		}
	}
	if exists > 0 {
		if err := w.WriteNumMessages(exists); err != nil {
			return err
		}
	}
	for _, c := range changed {
		if err := w.WriteMessageFlags(c.seq, c.uid, c.flags.list()); err != nil {
			return err
		}
	}
	return nil
}

// Idle tells of changes as they come.
func (s *session) Idle(w *imapserver.UpdateWriter, stop <-chan struct{}) error {
	for {
		if err := s.Poll(w, true); err != nil {
			return err
		}
		select {
		case <-s.wake:
		case <-stop:
			return nil
		}
	}
}
