package routing

import (
	"strings"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/schemas/config"
)

// A Folder is what routing knows of a folder. Addresses are all of its
// addresses, in any spelling; what is not an address matches nothing.
type Folder struct {
	ID, Name  string
	Addresses []string
}

// Rules are the settings of one mailbox that routing depends on.
type Rules struct {
	Tenant, Mailbox string
	Login           string   // the mailbox's username, an address or only its local part
	Folders         []Folder // in the order of the mailbox's list
	Unmatched       string   // config.UnmatchedInvalid or the id of one of Folders
	Recipients      string   // config.RecipientsAuto (also if empty), RecipientsHeaders or RecipientsEnvelope
	Plus            bool
}

// RulesOf returns the rules of a mailbox. Folders are those of the mailbox that
// exist, in the order of its list.
func RulesOf(m config.Mailbox, folders []config.Folder) Rules {
	r := Rules{
		Tenant: m.Tenant, Mailbox: m.ID, Login: m.Username, Folders: make([]Folder, len(folders)),
		Unmatched: m.Unmatched, Recipients: m.Recipients, Plus: m.PlusAddressing,
	}
	for i, f := range folders {
		r.Folders[i] = Folder{ID: f.ID, Name: f.Name, Addresses: f.Addresses()}
	}
	return r
}

// A Table is the compiled form of Rules. It never changes and is safe for
// concurrent use.
type Table struct {
	folders    []Folder
	byAddress  map[address.Key]int // index in folders
	logins     map[address.Key]bool
	bearsLogin []bool // per folder: one of its addresses is in logins
	catchAll   int    // index, or none
	recipients string
	plus       bool
	loopMark   string
	idSuffix   string // of the Message-IDs that the mailbox makes
}

// none is the index of no folder.
const none = -1

// Compile prepares the rules for routing. It takes all rules: what validation
// would refuse matches nothing, or, an address of two folders, the first.
func Compile(r Rules) *Table {
	t := &Table{
		folders:    make([]Folder, len(r.Folders)),
		byAddress:  map[address.Key]int{},
		logins:     map[address.Key]bool{},
		bearsLogin: make([]bool, len(r.Folders)),
		catchAll:   none,
		recipients: r.Recipients,
		plus:       r.Plus,
		loopMark:   LoopMark(r.Tenant, r.Mailbox),
		idSuffix:   idSuffix(r.Tenant, r.Mailbox),
	}
	if login, ok := single(r.Login); ok {
		t.logins[login.Key()] = true
	}
	for i, f := range r.Folders {
		t.folders[i] = Folder{ID: f.ID, Name: f.Name}
		if f.ID == r.Unmatched && r.Unmatched != config.UnmatchedInvalid && t.catchAll == none {
			t.catchAll = i
		}
		for _, s := range f.Addresses {
			a, ok := single(s)
			if !ok {
				continue
			}
			k := a.Key()
			if _, taken := t.byAddress[k]; !taken {
				t.byAddress[k] = i
			}
			if isLocalPart(r.Login, a) {
				t.logins[k] = true
			}
			t.bearsLogin[i] = t.bearsLogin[i] || t.logins[k]
		}
	}
	return t
}

// isLocalPart reports whether a login without a domain means the address. Many
// servers let users log in as desk and deliver to desk@example.com.
func isLocalPart(login string, a address.Address) bool {
	return login != "" && !strings.Contains(login, "@") &&
		address.Address{Local: login, Domain: a.Domain}.Key() == a.Key()
}

// single reads a configured address.
func single(s string) (address.Address, bool) {
	list := address.ParseList(s)
	if len(list) != 1 {
		return address.Address{}, false
	}
	return list[0], true
}
