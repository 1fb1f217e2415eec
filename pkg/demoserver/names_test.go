package demoserver

import (
	"path/filepath"
	"strings"
	"testing"
)

func FuzzFolderNames(f *testing.F) {
	for _, name := range []string{"INBOX", "..", "A/B", "", ".", "a\x00b", "%2F", "=", "Gelöscht", strings.Repeat("x", 300)} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		file := escape(name)
		if filepath.Base(filepath.Join("dir", file)) != file || strings.ContainsRune(file, 0) {
			t.Errorf("%q becomes %q, which is not one file name", name, file)
		}
		if back, ok := unescape(file); !ok || back != name {
			t.Errorf("%q comes back as %q, %v", name, back, ok)
		}
	})
}

func FuzzMailFiles(f *testing.F) {
	for _, file := range []string{"1.1700000000.5000._", "4294967295.-1.0._SRFTD", "0.1.1._", "tmp123", "uidnext", "1.2.3", "1.2.-3._"} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file string) {
		m, ok := parseMail(file)
		if !ok {
			return
		}
		again, ok := parseMail(m.file())
		if !ok || *again != *m {
			t.Errorf("%q is %+v, its name %q is %+v", file, m, m.file(), again)
		}
	})
}
