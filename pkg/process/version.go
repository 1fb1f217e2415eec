package process

import (
	"cmp"
	"runtime/debug"
)

// Version returns which program this is, as far as its build recorded it: the
// version of its module, the commit, or "devel".
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision := ""
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value[:min(len(s.Value), 12)]
		}
	}
	return cmp.Or(revision, "devel")
}
