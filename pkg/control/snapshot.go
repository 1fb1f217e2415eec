package control

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// A record is what the bucket CONFIG is to hold under a key.
type record struct {
	revision int64 // what orders records: see revisionOf
	value    []byte
}

// snapshot is every record of the control database at one moment, deleted ones
// too, in the order in which they are published: what others refer to first.
type snapshot struct {
	revision int64 // the newest there was
	keys     []string
	records  map[string]record
}

func (s *Store) snapshot(ctx context.Context) (snap snapshot, err error) {
	snap.records = map[string]record{}
	err = s.read(ctx, func(q querier) error {
		if err := q.row(ctx, `SELECT value FROM meta WHERE name = 'revision'`).Scan(&snap.revision); err != nil {
			return err
		}
		for _, kind := range []struct {
			query  string
			decode func(scanner) (string, int64, any, error)
		}{
			{`SELECT ` + tenantColumns + ` FROM tenants ORDER BY id`, tenantRecord},
			{`SELECT ` + folderColumns + ` FROM folders ORDER BY tenant, id`, folderRecord},
			{`SELECT ` + mailboxColumns + ` FROM mailboxes ORDER BY tenant, id`, mailboxRecord},
		} {
			err := q.each(ctx, func(row scanner) error {
				key, revision, document, err := kind.decode(row)
				if err != nil {
					return err
				}
				value, err := json.Marshal(document)
				snap.keys = append(snap.keys, key)
				snap.records[key] = record{revision, value}
				return err
			}, kind.query)
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return snap, fmt.Errorf("reading all documents: %w", err)
	}
	return snap, nil
}

// record returns what the bucket is to hold for a document, false if nothing.
func (q querier) record(ctx context.Context, t target) (record, bool, error) {
	var row *sql.Row
	var decode func(scanner) (string, int64, any, error)
	switch t.kind {
	case schemas.KindTenant:
		row = q.row(ctx, `SELECT `+tenantColumns+` FROM tenants WHERE id = ?`, t.tenant)
		decode = tenantRecord
	case schemas.KindFolder:
		row = q.row(ctx, `SELECT `+folderColumns+` FROM folders WHERE tenant = ? AND id = ?`, t.tenant, t.id)
		decode = folderRecord
	default:
		row = q.row(ctx, `SELECT `+mailboxColumns+` FROM mailboxes WHERE tenant = ? AND id = ?`, t.tenant, t.id)
		decode = mailboxRecord
	}
	_, revision, document, err := decode(row)
	r, ok, err := found(record{revision: revision}, err, t)
	if err != nil || !ok {
		return r, false, err
	}
	r.value, err = json.Marshal(document)
	return r, true, err
}

// key returns the key of a document's record.
func (t target) key() string {
	switch t.kind {
	case schemas.KindTenant:
		return config.TenantRecordKey(t.tenant)
	case schemas.KindFolder:
		return config.FolderRecordKey(t.tenant, t.id)
	}
	return config.MailboxRecordKey(t.tenant, t.id)
}

func tenantRecord(row scanner) (string, int64, any, error) {
	t, err := scanTenant(row)
	return config.TenantRecordKey(t.Document.ID), max(t.Revision, t.keyRevision),
		config.TenantRecord{Document: t.Document, Revision: t.Revision, WrappedKey: t.wrappedKey, KeyRevision: t.keyRevision, DeletedAt: t.deletedAt}, err
}

func folderRecord(row scanner) (string, int64, any, error) {
	f, err := scanFolder(row)
	return config.FolderRecordKey(f.Document.Tenant, f.Document.ID), f.Revision,
		config.FolderRecord{Document: f.Document, Revision: f.Revision, DeletedAt: f.deletedAt}, err
}

func mailboxRecord(row scanner) (string, int64, any, error) {
	m, err := scanMailbox(row)
	return config.MailboxRecordKey(m.Document.Tenant, m.Document.ID), max(m.Revision, m.passwordRevision),
		config.MailboxRecord{Document: m.Document, Revision: m.Revision, Password: m.password, PasswordRevision: m.passwordRevision, EnabledAt: m.EnabledAt, DeletedAt: m.deletedAt}, err
}
