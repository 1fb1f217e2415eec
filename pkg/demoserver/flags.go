package demoserver

import (
	"strings"

	"github.com/emersion/go-imap/v2"
)

// flags are the system flags of RFC 3501, as bits; keywords are not kept.
type flags uint8

var flagNames = [...]struct {
	bit    flags
	letter byte // in the file name
	name   imap.Flag
}{
	{1, 'S', imap.FlagSeen},
	{2, 'R', imap.FlagAnswered},
	{4, 'F', imap.FlagFlagged},
	{8, 'T', imap.FlagDeleted},
	{16, 'D', imap.FlagDraft},
}

const deletedFlag flags = 8

const seenFlag flags = 1

func (f flags) String() string {
	b := []byte{'_'}
	for _, n := range flagNames {
		if f&n.bit != 0 {
			b = append(b, n.letter)
		}
	}
	return string(b)
}

func parseFlags(letters string) (f flags) {
	for _, n := range flagNames {
		if strings.IndexByte(letters, n.letter) >= 0 {
			f |= n.bit
		}
	}
	return f
}

func flagsOf(list []imap.Flag) (f flags) {
	for _, flag := range list {
		for _, n := range flagNames {
			if strings.EqualFold(string(flag), string(n.name)) {
				f |= n.bit
			}
		}
	}
	return f
}

func (f flags) list() []imap.Flag {
	list := []imap.Flag{}
	for _, n := range flagNames {
		if f&n.bit != 0 {
			list = append(list, n.name)
		}
	}
	return list
}
