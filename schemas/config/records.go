package config

import "time"

// Records are what the bucket CONFIG holds: a document with what the services
// need beside it. Keys are "tenant.<tenant>", "folder.<tenant>.<id>" and
// "mailbox.<tenant>.<id>".

// A TenantRecord is the value of a tenant's key.
type TenantRecord struct {
	Document Tenant `json:"document"`
	Revision int64  `json:"revision"`
	// WrappedKey is the Tenant Encryption Key, encrypted with the landlord's
	// master key; empty when the tenant has none. It opens every password of the
	// tenant that the bucket holds.
	WrappedKey []byte `json:"wrapped_key,omitempty"`
	// KeyRevision is the revision at which the key's rotation last began or
	// ended. It may be above Revision, which a rotation leaves alone: to services
	// nothing changed.
	KeyRevision int64      `json:"key_revision,omitempty"`
	DeletedAt   *time.Time `json:"deleted_at,omitempty"`
}

// A FolderRecord is the value of a folder's key.
type FolderRecord struct {
	Document  Folder     `json:"document"`
	Revision  int64      `json:"revision"`
	DeletedAt *time.Time `json:"deleted_at,omitempty"`
}

// A MailboxRecord is the value of a mailbox's key. A deleted mailbox stays for
// a day with DeletedAt set, so that its in-flight mail ends well.
type MailboxRecord struct {
	Document Mailbox `json:"document"`
	Revision int64   `json:"revision"`
	// Password is encrypted with the tenant's key and bound to tenant and mailbox.
	Password []byte `json:"password,omitempty"`
	// PasswordRevision is the revision at which the password, staying the same,
	// was last encrypted anew. It may be above Revision.
	PasswordRevision int64 `json:"password_revision,omitempty"`
	// EnabledAt is where import_since "new" counts from: when the mailbox was first
	// enabled, or when import_since became "new" after that. To disable the mailbox
	// for a while does not move it. Nil: never enabled.
	EnabledAt *time.Time `json:"enabled_at,omitempty"`
	DeletedAt *time.Time `json:"deleted_at,omitempty"`
}

// TenantRecordKey returns the key of a tenant's record.
func TenantRecordKey(tenant string) string { return "tenant." + tenant }

// FolderRecordKey returns the key of a folder's record.
func FolderRecordKey(tenant, id string) string { return "folder." + tenant + "." + id }

// MailboxRecordKey returns the key of a mailbox's record.
func MailboxRecordKey(tenant, id string) string { return "mailbox." + tenant + "." + id }
