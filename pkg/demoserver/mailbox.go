package demoserver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

// A Message is what is known of one mail.
type Message struct {
	UID          uint32
	Size         int64 // bytes
	InternalDate time.Time
	Flags        []imap.Flag
}

var errNoUser = errors.New("no such user")

func (s *Server) account(user string) (*account, error) {
	if a := s.accounts[user]; a != nil {
		return a, nil
	}
	return nil, fmt.Errorf("demo mailbox of %s: %w", user, errNoUser)
}

// Deliver puts a mail into a user's inbox and returns its UID. When it returns,
// the mail is kept.
func (s *Server) Deliver(user string, raw []byte) (uid uint32, err error) {
	a, err := s.account(user)
	if err != nil {
		return 0, err
	}
	_, m, err := a.append(inbox, bytes.NewReader(raw), time.Now(), 0)
	if err != nil {
		return 0, fmt.Errorf("delivering to the demo mailbox of %s: %w", user, err)
	}
	return m.uid, nil
}

// append writes a mail into a folder.
func (a *account) append(name string, r io.Reader, date time.Time, flags flags) (*folder, *mail, error) {
	a.mu.Lock()
	f, err := a.find(name, imap.ResponseCodeTryCreate)
	a.mu.Unlock()
	if err != nil {
		return nil, nil, err
	}
	// Written without the lock: the text may come slowly.
	tmp, err := os.CreateTemp(f.dir, "tmp")
	if err != nil {
		return nil, nil, err
	}
	size, err := io.Copy(tmp, r)
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(tmp.Name())
		return nil, nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	m, err := f.insert(tmp.Name(), date.Unix(), size, flags)
	return f, m, err
}

// Folders returns the names of a user's folders in order.
func (s *Server) Folders(user string) ([]string, error) {
	a, err := s.account(user)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var names []string
	for name := range a.folders {
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// Messages returns the mails in a folder, ascending; none when it does not exist.
func (s *Server) Messages(user, name string) ([]Message, error) {
	a, err := s.account(user)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []Message
	if f := a.folders[name]; f != nil {
		for _, m := range f.mails {
			list = append(list, Message{m.uid, m.size, m.time(), m.flags.list()})
		}
	}
	return list, nil
}

// Raw returns the text of a mail.
func (s *Server) Raw(user, name string, uid uint32) ([]byte, error) {
	a, err := s.account(user)
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	f, err := a.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return nil, err
	}
	i, found := slices.BinarySearchFunc(f.mails, uid, func(m *mail, uid uint32) int { return int(int64(m.uid) - int64(uid)) })
	if !found {
		return nil, fmt.Errorf("reading mail %d of folder %s of %s: %w", uid, name, user, os.ErrNotExist)
	}
	return os.ReadFile(f.path(f.mails[i]))
}
