package operation

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/secret"
	schema "github.com/mailyard/mailyard/schemas/config"
)

// Documents come as JSON that package config decodes, so that the problems are
// the same as everywhere. In the OpenAPI document they have the committed
// schemas of schemas/config.

// TenantJSON is the JSON of a tenant document.
type TenantJSON struct{ json.RawMessage }

// FolderJSON is the JSON of a folder document.
type FolderJSON struct{ json.RawMessage }

// MailboxJSON is the JSON of a mailbox document, with an optional password.
type MailboxJSON struct{ json.RawMessage }

// Schema refers to the component that holds the schema of schemas/config.
func (TenantJSON) Schema(huma.Registry) *huma.Schema { return documentSchema("Tenant") }

// Schema refers to the component that holds the schema of schemas/config.
func (FolderJSON) Schema(huma.Registry) *huma.Schema { return documentSchema("Folder") }

// Schema refers to the component that holds the schema of schemas/config.
func (MailboxJSON) Schema(huma.Registry) *huma.Schema { return documentSchema("Mailbox") }

// documentSchema has no Ref, which huma would look up to validate by itself.
func documentSchema(name string) *huma.Schema {
	return &huma.Schema{Extensions: map[string]any{"$ref": "#/components/schemas/" + name + "Document"}}
}

// orEmpty is {} for a document that was not sent.
func orEmpty(raw json.RawMessage) []byte {
	if len(bytes.TrimSpace(raw)) == 0 {
		return []byte("{}")
	}
	return raw
}

// sameID adds a problem when a document names itself otherwise than its route.
func sameID(problems config.Problems, path, in, routed string) config.Problems {
	if in == routed {
		return problems
	}
	return append(problems, config.Problem{Path: path, Message: fmt.Sprintf("%q is not the one that was asked for, %q; ids never change", shorten(in), shorten(routed))})
}

// refused is why a document cannot be stored: what it conflicts with is asked
// for too when it is wrong by itself, so that all of it is said at once.
func refused(problems config.Problems, err error) error {
	if err != nil {
		return err
	}
	return problems.Err()
}

// What is decoded has the id of its route, whatever is wrong with it.

func decodeTenant(raw json.RawMessage, id string) (config.Tenant, config.Problems) {
	base := config.DefaultTenant()
	base.ID = id
	doc, problems := config.DecodeTenant(orEmpty(raw), base)
	problems = sameID(problems, "id", doc.ID, id)
	doc.ID = id
	return doc, problems
}

func decodeFolder(raw json.RawMessage, tenant, id string) (config.Folder, config.Problems) {
	doc, problems := config.DecodeFolder(orEmpty(raw), schema.Folder{Tenant: tenant, ID: id})
	problems = sameID(sameID(problems, "tenant", doc.Tenant, tenant), "id", doc.ID, id)
	doc.Tenant, doc.ID = tenant, id
	return doc, problems
}

// decodeMailbox returns the document and the password in it, nil for none. A
// reference to a variable or a file is refused: it would read the server's own.
func decodeMailbox(raw json.RawMessage, tenant, id string) (config.Mailbox, *secret.String, config.Problems) {
	rest, password, problems := config.TakePassword(orEmpty(raw))
	if password != nil && (password.Env != "" || password.File != "") {
		problems = append(problems, config.Problem{Path: "password", Message: "must be the password itself here; variables and files are read by `mailyard apply` only"})
		password = nil
	}
	base := config.DefaultMailbox()
	base.Tenant, base.ID = tenant, id
	if problems.Err() != nil && len(rest) == 0 {
		return base, nil, problems
	}
	doc, more := config.DecodeMailbox(rest, base)
	problems = append(problems, more...)
	problems = sameID(sameID(problems, "tenant", doc.Tenant, tenant), "id", doc.ID, id)
	doc.Tenant, doc.ID = tenant, id
	if password == nil {
		return doc, nil, problems
	}
	return doc, &password.Plain, problems
}
