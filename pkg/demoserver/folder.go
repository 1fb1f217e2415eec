package demoserver

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// reserve is how many UIDs are set aside at once: after a kill, as many may be
// skipped, but none is given twice.
const reserve = 1000

// A folder holds mails. Its account's lock guards it.
type folder struct {
	dir        string
	name       string
	validity   uint32
	next       uint32  // UIDNEXT
	reserved   uint32  // UIDs below may be given
	mails      []*mail // ascending UIDs
	subscribed bool
	changes    uint64
	watchers   map[*session]struct{}
}

// A mail is one file, whose name says all but the text: UID, arrival, size, flags.
type mail struct {
	uid   uint32
	date  int64 // Unix seconds
	size  int64
	flags flags
	gone  bool
}

func (m *mail) file() string {
	return fmt.Sprintf("%d.%d.%d.%s", m.uid, m.date, m.size, m.flags)
}

func (m *mail) time() time.Time { return time.Unix(m.date, 0).UTC() }

func parseMail(file string) (*mail, bool) {
	parts := strings.Split(file, ".")
	if len(parts) != 4 {
		return nil, false
	}
	uid, err1 := strconv.ParseUint(parts[0], 10, 32)
	date, err2 := strconv.ParseInt(parts[1], 10, 64)
	size, err3 := strconv.ParseInt(parts[2], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || uid == 0 || size < 0 {
		return nil, false
	}
	return &mail{uid: uint32(uid), date: date, size: size, flags: parseFlags(parts[3])}, true
}

func makeFolder(dir, name string, validity uint32) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	f := &folder{dir: dir, name: name, validity: validity, next: 1, reserved: 1, watchers: make(map[*session]struct{})}
	return f, writeNumber(filepath.Join(dir, "uidvalidity"), validity)
}

func openFolder(dir, name string) (*folder, error) {
	validity, err := readNumber(filepath.Join(dir, "uidvalidity"))
	if err != nil {
		return nil, err
	}
	f := &folder{dir: dir, name: name, validity: validity, watchers: make(map[*session]struct{})}
	next, err := readNumber(filepath.Join(dir, "uidnext"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	f.next = max(next, 1)
	f.reserved = f.next
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if m, ok := parseMail(e.Name()); ok {
			f.mails = append(f.mails, m)
			f.next = max(f.next, m.uid+1)
		} else if e.Name() == "subscribed" {
			f.subscribed = true
		} else if strings.HasPrefix(e.Name(), "tmp") {
			os.Remove(filepath.Join(dir, e.Name())) // a delivery that was cut short
		}
	}
	slices.SortFunc(f.mails, func(a, b *mail) int { return int(int64(a.uid) - int64(b.uid)) })
	return f, nil
}

func (f *folder) path(m *mail) string { return filepath.Join(f.dir, m.file()) }

// take gives the next UID.
func (f *folder) take() (uint32, error) {
	if f.next >= f.reserved {
		if err := writeNumber(filepath.Join(f.dir, "uidnext"), f.next+reserve); err != nil {
			return 0, err
		}
		f.reserved = f.next + reserve
	}
	uid := f.next
	f.next++
	return uid, nil
}

// insert makes a mail of a file that is written already, by renaming it.
func (f *folder) insert(file string, date, size int64, flags flags) (*mail, error) {
	uid, err := f.take()
	if err != nil {
		return nil, err
	}
	m := &mail{uid: uid, date: date, size: size, flags: flags}
	if err := os.Rename(file, f.path(m)); err != nil {
		return nil, err
	}
	f.mails = append(f.mails, m)
	f.change()
	return m, nil
}

// setFlags changes the flags of a mail.
func (f *folder) setFlags(m *mail, flags flags) error {
	if m.flags == flags || m.gone {
		return nil
	}
	from := f.path(m)
	was := m.flags
	m.flags = flags
	if err := os.Rename(from, f.path(m)); err != nil {
		m.flags = was
		return err
	}
	f.change()
	return nil
}

// drop takes mails that are marked as gone off the list.
func (f *folder) drop() {
	f.mails = slices.DeleteFunc(f.mails, func(m *mail) bool { return m.gone })
	f.change()
}

// change wakes the sessions that have the folder open.
func (f *folder) change() {
	f.changes++
	for s := range f.watchers {
		select {
		case s.wake <- struct{}{}:
		default:
		}
	}
}
