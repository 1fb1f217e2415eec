package classifier

import (
	"sync"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/routing"
	"github.com/mailyard/mailyard/schemas/config"
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
	folders := make([]config.Folder, len(v.Folders))
	for i, f := range v.Folders {
		folders[i] = f.Document
	}
	return routing.RulesOf(v.Mailbox.Document, folders)
}
