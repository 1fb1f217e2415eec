package demoserver

import (
	"bufio"
	"bytes"
	"errors"
	"os"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-message/textproto"
)

// Fetch reads one mail after the other from its file, without the lock while it
// writes: a client that reads slowly holds up nobody.
func (s *session) Fetch(w *imapserver.FetchWriter, set imap.NumSet, options *imap.FetchOptions) error {
	s.account.mu.Lock()
	entries := s.pick(set)
	s.account.mu.Unlock()
	needText := options.Envelope || options.BodyStructure != nil || len(options.BodySection)+len(options.BinarySection)+len(options.BinarySectionSize) > 0
	seen := false
	for _, section := range options.BodySection {
		seen = seen || !section.Peek
	}
	for _, e := range entries {
		m, raw, err := s.read(e, needText, seen)
		if errors.Is(err, os.ErrNotExist) {
			continue // moved away by another session
		}
		if err != nil {
			return err
		}
		r := w.CreateMessage(e.seq)
		err = writeItems(r, m, raw, options)
		if cerr := r.Close(); err == nil { // always: it holds go-imap's lock
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// read returns a mail as it is now, and its text if wanted.
func (s *session) read(e entry, text, seen bool) (mail, []byte, error) {
	for {
		s.account.mu.Lock()
		m, f := *e.mail, s.folder
		if m.gone || f == nil {
			s.account.mu.Unlock()
			return m, nil, os.ErrNotExist
		}
		if seen && m.flags&seenFlag == 0 {
			if err := f.setFlags(e.mail, m.flags|seenFlag); err != nil {
				s.account.mu.Unlock()
				return m, nil, err
			}
			m = *e.mail
		}
		path := f.path(&m)
		s.account.mu.Unlock()
		if !text {
			return m, nil, nil
		}
		raw, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) && s.renamed(e, path) {
			continue // its flags changed in between
		}
		return m, raw, err
	}
}

func (s *session) renamed(e entry, path string) bool {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return !e.gone && s.folder != nil && s.folder.path(e.mail) != path
}

func writeItems(w *imapserver.FetchResponseWriter, m mail, raw []byte, options *imap.FetchOptions) error {
	w.WriteUID(imap.UID(m.uid))
	if options.Flags {
		w.WriteFlags(m.flags.list())
	}
	if options.InternalDate {
		w.WriteInternalDate(m.time())
	}
	if options.RFC822Size {
		w.WriteRFC822Size(m.size)
	}
	if options.Envelope {
		header, _ := textproto.ReadHeader(bufio.NewReader(bytes.NewReader(raw)))
		w.WriteEnvelope(imapserver.ExtractEnvelope(header))
	}
	if options.BodyStructure != nil {
		w.WriteBodyStructure(imapserver.ExtractBodyStructure(bytes.NewReader(raw)))
	}
	for _, section := range options.BodySection {
		text := raw
		if section.Specifier != imap.PartSpecifierNone || len(section.Part) > 0 || section.Partial != nil {
			text = imapserver.ExtractBodySection(bytes.NewReader(raw), section)
		}
		b := w.WriteBodySection(section, int64(len(text)))
		_, err := b.Write(text)
		if cerr := b.Close(); err != nil || cerr != nil {
			return errors.Join(err, cerr)
		}
	}
	for _, section := range options.BinarySection {
		text := imapserver.ExtractBinarySection(bytes.NewReader(raw), section)
		b := w.WriteBinarySection(section, int64(len(text)))
		_, err := b.Write(text)
		if cerr := b.Close(); err != nil || cerr != nil {
			return errors.Join(err, cerr)
		}
	}
	for _, size := range options.BinarySectionSize {
		w.WriteBinarySectionSize(size, imapserver.ExtractBinarySectionSize(bytes.NewReader(raw), size))
	}
	return nil
}
