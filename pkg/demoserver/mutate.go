package demoserver

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

func (s *session) Store(w *imapserver.FetchWriter, set imap.NumSet, store *imap.StoreFlags, _ *imap.StoreOptions) error {
	s.account.mu.Lock()
	named := flagsOf(store.Flags)
	var told []flagChange
	for _, e := range s.pick(set) {
		flags := named
		switch store.Op {
		case imap.StoreFlagsAdd:
			flags = e.flags | named
		case imap.StoreFlagsDel:
			flags = e.flags &^ named
		}
		if err := s.folder.setFlags(e.mail, flags); err != nil {
			s.account.mu.Unlock()
			return err
		}
		s.view[e.seq-1].told = flags // the answer tells, or it is silent
		told = append(told, flagChange{e.seq, imap.UID(e.uid), flags})
	}
	s.account.mu.Unlock()
	if store.Silent {
		return nil
	}
	for _, c := range told {
		m := w.CreateMessage(c.seq)
		m.WriteUID(c.uid)
		m.WriteFlags(c.flags.list())
		if err := m.Close(); err != nil {
			return err
		}
	}
	return nil
}

// Expunge removes the mails marked as deleted; Poll tells the client.
func (s *session) Expunge(_ *imapserver.ExpungeWriter, uids *imap.UIDSet) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	set := imap.NumSet(imap.SeqSet{{Start: 1}})
	if uids != nil {
		set = *uids
	}
	defer s.folder.drop()
	for _, e := range s.pick(set) {
		if e.flags&deletedFlag == 0 {
			continue
		}
		if err := os.Remove(s.folder.path(e.mail)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		e.gone = true
	}
	return nil
}

func (s *session) Copy(set imap.NumSet, dest string) (*imap.CopyData, error) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.transfer(set, dest, func(to *folder, m *mail) (*mail, error) {
		tmp := filepath.Join(to.dir, fmt.Sprintf("tmp-copy-%d", m.uid))
		if err := duplicate(s.folder.path(m), tmp); err != nil {
			return nil, err
		}
		return to.insert(tmp, m.date, m.size, m.flags)
	})
}

func (s *session) Move(w *imapserver.MoveWriter, set imap.NumSet, dest string) error {
	s.account.mu.Lock()
	data, err := s.transfer(set, dest, func(to *folder, m *mail) (*mail, error) {
		moved, err := to.insert(s.folder.path(m), m.date, m.size, m.flags)
		if err == nil {
			m.gone = true
		}
		return moved, err
	})
	if s.folder != nil {
		s.folder.drop()
	}
	s.account.mu.Unlock()
	if data != nil {
		if werr := w.WriteCopyData(data); err == nil {
			err = werr
		}
	}
	return err
}

// transfer puts mails into another folder, one by one, and returns what became
// what; the account's lock is held.
func (s *session) transfer(set imap.NumSet, dest string, put func(*folder, *mail) (*mail, error)) (*imap.CopyData, error) {
	to, err := s.account.find(dest, imap.ResponseCodeTryCreate)
	if err != nil {
		return nil, err
	}
	if to == s.folder {
		return nil, refuse(imap.ResponseCodeCannot, "source and destination are the same")
	}
	data := &imap.CopyData{UIDValidity: to.validity}
	var source, copies imap.UIDSet
	for _, e := range s.pick(set) {
		var copied *mail
		if copied, err = put(to, e.mail); err != nil {
			break
		}
		source.AddNum(imap.UID(e.uid))
		copies.AddNum(imap.UID(copied.uid))
	}
	if len(source) == 0 || !s.uidplus() {
		return nil, err
	}
	data.SourceUIDs, data.DestUIDs = source, copies
	return data, err
}

// duplicate makes a second name for a file, or a copy where that is not possible.
func duplicate(from, to string) error {
	os.Remove(to)
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
