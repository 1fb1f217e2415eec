package config

import (
	"time"

	"github.com/mailyard/mailyard/schemas/config"
)

// The documents, under the names that callers of this package use.
type (
	Tenant  = config.Tenant
	Folder  = config.Folder
	Mailbox = config.Mailbox
)

// DefaultTenant returns a tenant with every default.
func DefaultTenant() Tenant { return config.DefaultTenant() }

// DefaultMailbox returns a mailbox with every default.
func DefaultMailbox() Mailbox { return config.DefaultMailbox() }

// DecodeTenant reads a tenant from JSON and checks the result. A key that is
// absent keeps the value of base: DefaultTenant() for a whole document, the
// stored tenant for an update. On problems the result is not to be used.
func DecodeTenant(raw []byte, base Tenant) (Tenant, Problems) {
	t := base
	problems := decode(raw, &t)
	problems.unchanged("id", base.ID, t.ID)
	return t, append(problems, ValidateTenant(t).Without(problems)...)
}

// DecodeFolder reads a folder from JSON like DecodeTenant. The base of a whole
// document is Folder{}.
func DecodeFolder(raw []byte, base Folder) (Folder, Problems) {
	f := base
	problems := decode(raw, &f)
	problems.unchanged("tenant", base.Tenant, f.Tenant)
	problems.unchanged("id", base.ID, f.ID)
	return f, append(problems, ValidateFolder(f).Without(problems)...)
}

// DecodeMailbox reads a mailbox from JSON like DecodeTenant. The password is
// not part of the document: see TakePassword.
func DecodeMailbox(raw []byte, base Mailbox) (Mailbox, Problems) {
	m := base
	problems := decode(raw, &m)
	if m.Folders == nil {
		m.Folders = []string{}
	}
	problems.unchanged("tenant", base.Tenant, m.Tenant)
	problems.unchanged("id", base.ID, m.ID)
	return m, append(problems, validateMailbox(m, time.Now()).Without(problems)...)
}

func (p *Problems) unchanged(path, before, after string) {
	if before != "" && before != after && !p.has(path) {
		p.add(path, "is %s and never changes", before)
	}
}

// maxProblems is how many problems of a document are told. Who has more of them
// sent something else.
const maxProblems = 100

func decode(raw []byte, into any) Problems {
	root, problems := parseJSON(raw)
	if root == nil {
		return problems
	}
	problems = append(problems, root.assign(into)...)
	if more := len(problems) - maxProblems; more > 0 {
		problems = problems[:maxProblems]
		problems.add("", "has %d more problems", more)
	}
	return problems
}
