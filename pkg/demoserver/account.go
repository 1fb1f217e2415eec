package demoserver

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-imap/v2"
)

// Delimiter separates the levels of folder names.
const Delimiter = '/'

const inbox = "INBOX"

// An account is a user's folders. Its lock guards all that is below it, the
// views of the sessions included; it is never held while the network is waited for.
type account struct {
	dir      string
	password string

	mu           sync.Mutex
	folders      map[string]*folder
	lastValidity uint32 // highest UIDVALIDITY ever given
}

// Layout: <dir>/<user>/<folder>/<mail>; names are escaped, and marked so that
// none is hidden or special.
func openAccount(dir, user, password string) (*account, error) {
	a := &account{dir: filepath.Join(dir, escape(user)), password: password, folders: make(map[string]*folder)}
	if err := os.MkdirAll(a.dir, 0o700); err != nil {
		return nil, err
	}
	last, err := readNumber(a.validityFile())
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	a.lastValidity = last
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name, ok := unescape(e.Name())
		if !ok || !e.IsDir() {
			continue
		}
		f, err := openFolder(filepath.Join(a.dir, e.Name()), name)
		if errors.Is(err, os.ErrNotExist) {
			continue // its making was cut short
		}
		if err != nil {
			return nil, fmt.Errorf("folder %s: %w", name, err)
		}
		a.folders[name] = f
	}
	if a.folders[inbox] == nil {
		_, err = a.create(inbox)
	}
	return a, err
}

func (a *account) validityFile() string { return filepath.Join(a.dir, "uidvalidity") }

func (a *account) login(password string) bool {
	return subtle.ConstantTimeCompare([]byte(password), []byte(a.password)) == 1
}

// create makes a folder; a.mu is held, or nobody else knows a.
func (a *account) create(name string) (*folder, error) {
	if a.folders[name] != nil {
		return nil, refuse(imap.ResponseCodeAlreadyExists, "folder exists")
	}
	if name == "" || len(escape(name)) > 200 || strings.ContainsAny(name, "*%") {
		return nil, refuse(imap.ResponseCodeCannot, "folder name cannot be used")
	}
	// The clock, so that a folder made anew after a loss of files has another one.
	validity := max(uint32(time.Now().Unix()), a.lastValidity+1)
	if err := writeNumber(a.validityFile(), validity); err != nil {
		return nil, err
	}
	a.lastValidity = validity
	f, err := makeFolder(filepath.Join(a.dir, escape(name)), name, validity)
	if err != nil {
		return nil, err
	}
	a.folders[name] = f
	return f, nil
}

// find returns a folder; a.mu is held.
func (a *account) find(name string, code imap.ResponseCode) (*folder, error) {
	if f := a.folders[name]; f != nil {
		return f, nil
	}
	return nil, refuse(code, "no such folder")
}

// remove deletes a folder; a.mu is held.
func (a *account) remove(name string) error {
	f, err := a.find(name, imap.ResponseCodeNonExistent)
	if err != nil {
		return err
	}
	if name == inbox {
		return refuse(imap.ResponseCodeCannot, "the inbox cannot be deleted")
	}
	for _, m := range f.mails {
		m.gone = true
	}
	f.mails = nil
	f.change()
	delete(a.folders, name)
	return os.RemoveAll(f.dir)
}

// rename gives a folder, and those below it, another name; a.mu is held.
func (a *account) rename(from, to string) error {
	if _, err := a.find(from, imap.ResponseCodeNonExistent); err != nil {
		return err
	}
	if from == inbox || a.folders[to] != nil {
		return refuse(imap.ResponseCodeCannot, "folder cannot be renamed to this")
	}
	for _, name := range slices.Sorted(maps.Keys(a.folders)) { // as it was: the new names may begin with the old one
		below, ok := strings.CutPrefix(name, from)
		if !ok || below != "" && below[0] != Delimiter {
			continue
		}
		f := a.folders[name]
		dir := filepath.Join(a.dir, escape(to+below))
		if err := os.Rename(f.dir, dir); err != nil {
			return err
		}
		f.dir, f.name = dir, to+below
		delete(a.folders, name)
		a.folders[f.name] = f
	}
	return nil
}

func escape(name string) string { return "=" + url.PathEscape(name) }

func unescape(file string) (string, bool) {
	rest, ok := strings.CutPrefix(file, "=")
	name, err := url.PathUnescape(rest)
	return name, ok && err == nil
}

func readNumber(file string) (uint32, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 32)
	return uint32(n), err
}

// writeNumber replaces a file in one step.
func writeNumber(file string, n uint32) error {
	tmp := file + ".tmp"
	if err := os.WriteFile(tmp, strconv.AppendUint(nil, uint64(n), 10), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, file)
}

func refuse(code imap.ResponseCode, text string) error {
	return &imap.Error{Type: imap.StatusResponseTypeNo, Code: code, Text: text}
}
