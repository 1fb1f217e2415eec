package configwatch

import "github.com/mailyard/mailyard/schemas/config"

// Tenant returns the record of a tenant; a deleted one too, see DeletedAt.
func (w *Watcher) Tenant(tenant string) (config.TenantRecord, bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	record, ok := w.records.tenants[tenant]
	return record, ok
}
