package config

import (
	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/schemas/config"
)

// maxAliases is how many further addresses a folder may have.
const maxAliases = 1000

// ValidateFolder checks a folder by itself.
func ValidateFolder(f Folder) Problems {
	var p Problems
	p.slug("tenant", f.Tenant)
	p.slug("id", f.ID)
	if f.ID == config.UnmatchedInvalid {
		p.add("id", "%s is reserved: it is a value of unmatched", f.ID)
	}
	p.text("name", f.Name, maxName, true)
	p.prose("description", f.Description, maxDescription)
	if len(f.Aliases) > maxAliases {
		p.add("aliases", "has %d addresses; at most %d are allowed", len(f.Aliases), maxAliases)
		return p
	}
	seen := map[address.Key]bool{}
	if f.Address == "" {
		p.add("address", "is required")
	} else {
		p.address("address", f.Address, seen)
	}
	for i, alias := range f.Aliases {
		p.address(element("aliases", i), alias, seen)
	}
	return p
}

func (p *Problems) address(path, s string, seen map[address.Key]bool) {
	a, err := address.ParseOne(s)
	if err != nil {
		p.add(path, "%q is not an email address: %v", shorten(s), err)
		return
	}
	if seen[a.Key()] {
		p.add(path, "%s stands twice", s)
	}
	seen[a.Key()] = true
}
