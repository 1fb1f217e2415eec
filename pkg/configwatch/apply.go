package configwatch

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// AssertedKey is a key of the bucket CONFIG that is no record: the publisher
// puts it there when every record of the control database is in the bucket.
// Until a bucket has it, what is missing there is not taken for deleted.
const AssertedKey = "asserted"

var errUnknownKey = errors.New("the key is of no known kind")

// put takes a record over. On an error the record that was known stays.
func (r records) put(key string, value []byte) error {
	kind, named, err := splitKey(key)
	if err != nil {
		return err
	}
	switch kind {
	case schemas.KindTenant:
		var record config.TenantRecord
		if err := decode(value, &record); err != nil {
			return err
		}
		if record.Document.ID != named.tenant {
			return errors.New("the record is of another tenant than its key")
		}
		r.tenants[named.tenant] = record
	case schemas.KindFolder:
		var record config.FolderRecord
		if err := decode(value, &record); err != nil {
			return err
		}
		if (id{record.Document.Tenant, record.Document.ID}) != named {
			return errors.New("the record is of another folder than its key")
		}
		r.folders[named] = record
	case schemas.KindMailbox:
		var record config.MailboxRecord
		if err := decode(value, &record); err != nil {
			return err
		}
		if (id{record.Document.Tenant, record.Document.ID}) != named {
			return errors.New("the record is of another mailbox than its key")
		}
		r.mailboxes[named] = record
	}
	return nil
}

// decode leaves the decoder's texts out: they may quote the value.
func decode(value []byte, into any) error {
	if err := json.Unmarshal(value, into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return fmt.Errorf("the record's %s is of the wrong type", wrong.Field)
		}
		return errors.New("the record is not JSON")
	}
	return nil
}

func (r records) remove(key string) {
	kind, named, err := splitKey(key)
	if err != nil {
		return
	}
	switch kind {
	case schemas.KindTenant:
		delete(r.tenants, named.tenant)
	case schemas.KindFolder:
		delete(r.folders, named)
	case schemas.KindMailbox:
		delete(r.mailboxes, named)
	}
}

// keep drops every record whose key is not among those seen.
func (r records) keep(seen map[string]bool) {
	for tenant := range r.tenants {
		if !seen[config.TenantRecordKey(tenant)] {
			delete(r.tenants, tenant)
		}
	}
	for f := range r.folders {
		if !seen[config.FolderRecordKey(f.tenant, f.id)] {
			delete(r.folders, f)
		}
	}
	for m := range r.mailboxes {
		if !seen[config.MailboxRecordKey(m.tenant, m.id)] {
			delete(r.mailboxes, m)
		}
	}
}

func splitKey(key string) (schemas.Kind, id, error) {
	parts := strings.Split(key, ".")
	kind := schemas.Kind(parts[0])
	switch {
	case kind == schemas.KindTenant && len(parts) == 2:
		return kind, id{tenant: parts[1]}, nil
	case (kind == schemas.KindFolder || kind == schemas.KindMailbox) && len(parts) == 3:
		return kind, id{parts[1], parts[2]}, nil
	}
	return "", id{}, errUnknownKey
}
