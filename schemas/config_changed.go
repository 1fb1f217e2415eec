package schemas

import "time"

// TypeConfigChanged is the CloudEvents type of ConfigChanged.
const TypeConfigChanged = "mailyard.config.changed.v1"

// ConfigChanged tells who changed which document. It names the fields, never
// their values. Sent by the admin service.
type ConfigChanged struct {
	Attributes
	Data ConfigChange `json:"data"`
}

// A Kind is a kind of configuration document.
type Kind string

// The kinds of documents.
const (
	KindTenant  Kind = "tenant"
	KindFolder  Kind = "folder"
	KindMailbox Kind = "mailbox"
)

// ConfigChange is the payload of ConfigChanged.
type ConfigChange struct {
	Kind         Kind      `json:"kind"`
	Tenant       string    `json:"tenant"`
	ID           string    `json:"id"` // of the document; equals the tenant for a tenant
	Change       string    `json:"change"`
	Fields       []string  `json:"fields,omitempty"` // paths of the fields that changed
	FromRevision int64     `json:"from_revision"`    // 0 when created
	ToRevision   int64     `json:"to_revision"`
	Actor        string    `json:"actor"`
	ChangedAt    time.Time `json:"changed_at"`
}

// Values of ConfigChange.Change.
const (
	ChangeCreated = "created"
	ChangeUpdated = "updated"
	ChangeDeleted = "deleted"
)
