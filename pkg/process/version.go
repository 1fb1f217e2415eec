package process

import (
	"cmp"
	"runtime/debug"
)

// built is the version that the build was given:
//
//	go build -ldflags '-X github.com/mailyard/mailyard/pkg/process.built=v1.2.3'
//
// A build without git, such as that of an image, records none by itself.
var built string

// Version returns which program this is: the version that its build was given
// or, as far as that recorded it, the version of its module, the commit, or
// "devel".
func Version() string {
	if built != "" {
		return built
	}
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
