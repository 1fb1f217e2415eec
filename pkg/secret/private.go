package secret

import (
	"io/fs"
	"syscall"
)

// private reports whether a mode keeps a file to its owner or, when it was
// entrusted to the group, lets the group read it and do nothing else.
func private(mode fs.FileMode, entrusted bool) bool {
	if entrusted {
		return mode&0o037 == 0
	}
	return mode&0o077 == 0
}

func ownedByRoot(info fs.FileInfo) bool {
	s, ok := info.Sys().(*syscall.Stat_t)
	return ok && s.Uid == 0
}
