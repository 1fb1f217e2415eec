package messaging

import (
	"embed"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

//go:embed postgresql/*.sql sqlite/*.sql
var migrations embed.FS

// README is the page for consumers.
//
//go:embed README.md
var README string

// A Dialect names a database system, and the folder of its migrations.
type Dialect string

// The database systems that a messaging database can be in.
const (
	PostgreSQL Dialect = "postgresql"
	SQLite     Dialect = "sqlite"
)

// A Migration takes a messaging database from version Version-1 to Version. It
// is run in one transaction. Released migrations never change.
type Migration struct {
	Version int // 1, 2, ...
	Name    string
	SQL     string
}

// Migrations returns the migrations of a database system, by version.
func Migrations(d Dialect) ([]Migration, error) {
	files, err := fs.ReadDir(migrations, string(d)) // sorted by name
	if err != nil {
		return nil, fmt.Errorf("listing migrations: %w", err)
	}
	ms := make([]Migration, 0, len(files))
	for i, f := range files {
		number, name, _ := strings.Cut(strings.TrimSuffix(f.Name(), ".sql"), "_")
		if version, err := strconv.Atoi(number); err != nil || version != i+1 {
			return nil, fmt.Errorf("listing migrations: %s/%s should have number %04d", d, f.Name(), i+1)
		}
		sql, err := fs.ReadFile(migrations, string(d)+"/"+f.Name())
		if err != nil {
			return nil, fmt.Errorf("reading migration: %w", err)
		}
		ms = append(ms, Migration{Version: i + 1, Name: name, SQL: string(sql)})
	}
	return ms, nil
}
