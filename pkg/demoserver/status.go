package demoserver

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/emersion/go-imap/v2"
)

// status answers STATUS; the account's lock is held.
func (f *folder) status(options *imap.StatusOptions) *imap.StatusData {
	var unseen, deleted, recent uint32
	var size int64
	for _, m := range f.mails {
		size += m.size
		if m.flags&seenFlag == 0 {
			unseen++
		}
		if m.flags&deletedFlag != 0 {
			deleted++
		}
	}
	messages := uint32(len(f.mails))
	data := &imap.StatusData{Mailbox: f.name}
	for _, item := range []struct {
		wanted bool
		set    func()
	}{
		{options.NumMessages, func() { data.NumMessages = &messages }},
		{options.UIDNext, func() { data.UIDNext = imap.UID(f.next) }},
		{options.UIDValidity, func() { data.UIDValidity = f.validity }},
		{options.NumUnseen, func() { data.NumUnseen = &unseen }},
		{options.NumDeleted, func() { data.NumDeleted = &deleted }},
		{options.NumRecent, func() { data.NumRecent = &recent }},
		{options.Size, func() { data.Size = &size }},
	} {
		if item.wanted {
			item.set()
		}
	}
	return data
}

// subscribe keeps the subscription as an empty file.
func (f *folder) subscribe(on bool) error {
	file := filepath.Join(f.dir, "subscribed")
	f.subscribed = on
	if on {
		return os.WriteFile(file, nil, 0o600)
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
