package classifier

import (
	"sync"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/routing"
)

// tables keeps the compiled routing table of each mailbox for as long as its
// configuration is the one that the table was made from.
type tables struct {
	watcher  *configwatch.Watcher
	compiled sync.Map // "tenant/mailbox" -> *table
}

type table struct {
	revision int64
	routes   *routing.Table
}

func newTables(w *configwatch.Watcher) *tables { return &tables{watcher: w} }

// of returns the table of a mailbox. A deleted mailbox has one for as long as
// its record stays, so that its in-flight mail ends well.
func (t *tables) of(tenant, mailbox string) (*table, bool) {
	name := tenant + "/" + mailbox
	view, ok := t.watcher.Mailbox(tenant, mailbox)
	if !ok {
		t.compiled.Delete(name)
		return nil, false
	}
	if c, ok := t.compiled.Load(name); ok && c.(*table).revision == view.Revision {
		return c.(*table), true
	}
	c := &table{revision: view.Revision, routes: routing.Compile(rules(view))}
	t.compiled.Store(name, c)
	return c, true
}

func rules(v configwatch.View) routing.Rules {
	m := v.Mailbox.Document
	r := routing.Rules{
		Tenant: m.Tenant, Mailbox: m.ID, Login: m.Username,
		Unmatched: m.Unmatched, Recipients: m.Recipients, Plus: m.PlusAddressing,
	}
	for _, f := range v.Folders {
		d := f.Document
		r.Folders = append(r.Folders, routing.Folder{ID: d.ID, Name: d.Name, Addresses: append([]string{d.Address}, d.Aliases...)})
	}
	return r
}
