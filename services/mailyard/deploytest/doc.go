// Package deploytest holds deploy/, docker-compose.yml and the documentation to
// the code: every setting, path, port, image and metric that they name exists.
// It has tests only. Go caches their results without regard to these files: run
// them with -count=1.
package deploytest

//go:generate go test -count=1 -run TestNATSConfig -update .
