package console

import (
	"cmp"
	"slices"
	"strings"

	schema "github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A folderPicker is the choice of a mailbox's folders.
type folderPicker struct {
	Path    string // where folders are made
	Choices []folderChoice
	Chosen  int
}

// A folderChoice is a folder that can be chosen.
type folderChoice struct {
	ID, Name, Address string
	More              int // further addresses
	Chosen            bool
	Gone              bool // it was deleted meanwhile
}

// newFolderPicker offers the tenant's folders, the chosen ones first.
func newFolderPicker(path string, all []operation.Folder, chosen []string) folderPicker {
	p := folderPicker{Path: path}
	known := map[string]bool{}
	for _, f := range all {
		doc := f.Document
		known[doc.ID] = true
		p.Choices = append(p.Choices, folderChoice{ID: doc.ID, Name: doc.Name, Address: doc.Address, More: len(doc.Aliases), Chosen: slices.Contains(chosen, doc.ID)})
	}
	for _, id := range chosen {
		if !known[id] {
			known[id] = true
			p.Choices = append(p.Choices, folderChoice{ID: id, Name: clip(id, 60), Chosen: true, Gone: true})
		}
	}
	slices.SortStableFunc(p.Choices, func(a, b folderChoice) int {
		if a.Chosen != b.Chosen {
			return map[bool]int{true: -1, false: 1}[a.Chosen]
		}
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	for _, c := range p.Choices {
		if c.Chosen {
			p.Chosen++
		}
	}
	return p
}

// name returns the name of a folder.
func (p folderPicker) name(id string) string {
	for _, c := range p.Choices {
		if c.ID == id {
			return c.Name
		}
	}
	return id
}

// catchAll offers the chosen folders for mail that matches none; mailbox.js
// keeps the list current.
func (p folderPicker) catchAll(value string) []option {
	var list []option
	for _, c := range p.Choices {
		if c.Chosen || c.ID == value {
			list = append(list, option{Value: c.ID, Label: "Catch-all: " + c.Name})
		}
	}
	known := value == schema.UnmatchedInvalid || value == "" || slices.ContainsFunc(list, func(o option) bool { return o.Value == value })
	if !known {
		list = append(list, option{Value: value, Label: "Catch-all: " + clip(value, 60)})
	}
	return list
}

// A pickerField is the choice with its field.
type pickerField struct {
	folderPicker
	Field field
}

// With adds the field that the choice belongs to.
func (p folderPicker) With(f field) pickerField { return pickerField{p, f} }
