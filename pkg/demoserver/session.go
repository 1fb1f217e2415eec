package demoserver

import (
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
)

// A session is one connection. folder and view are guarded by the account's lock.
type session struct {
	server  *Server
	account *account
	wake    chan struct{} // holds a token after a change of the folder

	folder  *folder
	view    []viewed // by sequence number - 1: what the client knows
	highest uint32   // UID up to which the view reaches
	known   uint64   // folder.changes when the view was last brought up to date
}

type viewed struct {
	*mail
	told flags
}

var (
	_ imapserver.SessionNamespace = (*session)(nil)
	_ imapserver.SessionMove      = (*session)(nil)
)

func (s *session) Close() error {
	s.Unselect()
	s.server.sessions.Done()
	return nil
}

func (s *session) Login(username, password string) error {
	a := s.server.accounts[username]
	if a == nil || !a.login(password) {
		return imapserver.ErrAuthFailed
	}
	s.account = a
	return nil
}

func (s *session) Namespace() (*imap.NamespaceData, error) {
	return &imap.NamespaceData{Personal: []imap.NamespaceDescriptor{{Delim: Delimiter}}}, nil
}

func (s *session) Select(name string, _ *imap.SelectOptions) (*imap.SelectData, error) {
	a := s.account
	a.mu.Lock()
	defer a.mu.Unlock()
	f, err := a.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return nil, err
	}
	s.folder, s.view, s.highest, s.known = f, nil, f.next-1, f.changes
	for _, m := range f.mails {
		s.view = append(s.view, viewed{m, m.flags})
	}
	f.watchers[s] = struct{}{}
	all := flags(31).list()
	return &imap.SelectData{
		Flags: all, PermanentFlags: all,
		NumMessages: uint32(len(s.view)), UIDNext: imap.UID(f.next), UIDValidity: f.validity,
	}, nil
}

func (s *session) Unselect() error {
	if s.account == nil {
		return nil
	}
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	if s.folder != nil {
		delete(s.folder.watchers, s)
	}
	s.folder, s.view = nil, nil
	return nil
}

func (s *session) Create(name string, _ *imap.CreateOptions) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	_, err := s.account.create(strings.TrimRight(name, string(Delimiter)))
	return err
}

func (s *session) Delete(name string) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.account.remove(name)
}

func (s *session) Rename(from, to string, _ *imap.RenameOptions) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	return s.account.rename(from, strings.TrimRight(to, string(Delimiter)))
}

func (s *session) Subscribe(name string) error   { return s.subscribe(name, true) }
func (s *session) Unsubscribe(name string) error { return s.subscribe(name, false) }

func (s *session) subscribe(name string, on bool) error {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	f, err := s.account.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return err
	}
	return f.subscribe(on)
}

func (s *session) List(w *imapserver.ListWriter, ref string, patterns []string, options *imap.ListOptions) error {
	if len(patterns) == 0 {
		return w.WriteList(&imap.ListData{Attrs: []imap.MailboxAttr{imap.MailboxAttrNoSelect}, Delim: Delimiter})
	}
	for _, data := range s.list(ref, patterns, options) {
		if err := w.WriteList(&data); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) list(ref string, patterns []string, options *imap.ListOptions) []imap.ListData {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	var list []imap.ListData
	for name, f := range s.account.folders {
		match := slices.ContainsFunc(patterns, func(p string) bool { return imapserver.MatchList(name, Delimiter, ref, p) })
		if !match || options.SelectSubscribed && !f.subscribed {
			continue
		}
		data := imap.ListData{Mailbox: name, Delim: Delimiter}
		if f.subscribed {
			data.Attrs = append(data.Attrs, imap.MailboxAttrSubscribed)
		}
		if options.ReturnStatus != nil {
			data.Status = f.status(options.ReturnStatus)
		}
		list = append(list, data)
	}
	slices.SortFunc(list, func(a, b imap.ListData) int { return strings.Compare(a.Mailbox, b.Mailbox) })
	return list
}

func (s *session) Status(name string, options *imap.StatusOptions) (*imap.StatusData, error) {
	s.account.mu.Lock()
	defer s.account.mu.Unlock()
	f, err := s.account.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return nil, err
	}
	return f.status(options), nil
}

func (s *session) Append(name string, r imap.LiteralReader, options *imap.AppendOptions) (*imap.AppendData, error) {
	date := options.Time
	if date.IsZero() {
		date = time.Now()
	}
	f, m, err := s.account.append(name, r, date, flagsOf(options.Flags))
	if err != nil || !s.uidplus() {
		return nil, err
	}
	return &imap.AppendData{UIDValidity: f.validity, UID: imap.UID(m.uid)}, nil
}

func (s *session) uidplus() bool { return s.server.opts.Caps.Has(imap.CapUIDPlus) }
