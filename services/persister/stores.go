package persister

import (
	"fmt"

	"github.com/mailyard/mailyard/pkg/configwatch"
	"github.com/mailyard/mailyard/pkg/mailstore"
)

// stores finds the messaging database of a tenant.
type stores struct {
	watcher  *configwatch.Watcher
	byName   map[string]mailstore.Store
	activity *activity // of all databases together
}

func (s *stores) of(tenant string) (mailstore.Store, error) {
	record, ok := s.watcher.Tenant(tenant)
	if !ok {
		return nil, fmt.Errorf("finding the messaging database of tenant %s: no such tenant in the configuration", tenant)
	}
	name := record.Document.MessagingDatabase
	store, ok := s.byName[name]
	if !ok {
		return nil, fmt.Errorf("finding the messaging database of tenant %s: the installation has none named %q; add messaging.%s to its settings", tenant, name, name)
	}
	return store, nil
}
