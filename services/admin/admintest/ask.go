package admintest

import (
	"reflect"
	"strings"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// Path returns the path of an operation with the ids of a tenant, and of
// somebody who has an account, a session and an API token.
func (o *Office) Path(op operation.Operation, ids Ids, who Person) string {
	return strings.NewReplacer(
		"{tenant}", ids.Tenant, "{folder}", ids.Folder, "{mailbox}", ids.Mailbox, "{mail}", ids.Mail, "{letter}", ids.Dead,
		"{position}", "1", "{account}", who.Name, "{session}", who.Session, "{token}", who.ID,
	).Replace(op.Path)
}

// Body returns a body that an operation takes; nil for one that takes none.
func Body(op operation.Operation, ids Ids) any {
	type object = map[string]any
	if _, ok := op.Input.FieldByName("Body"); !ok {
		return nil
	}
	mailbox := object{"name": "Info", "folders": []string{ids.Folder}, "username": "info@" + ids.Tenant + ".example", "imap": object{"host": "imap." + ids.Tenant + ".example"}}
	draft := object{"id": ids.Mailbox, "document": mailbox}
	bodies := map[string]any{
		"tenant.put":              object{"name": "Tenant " + ids.Tenant},
		"tenant.supply-key":       object{"key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="},
		"folder.put":              object{"name": "Support", "address": "support@" + ids.Tenant + ".example"},
		"mailbox.put":             mailbox,
		"mailbox.check":           mailbox,
		"mailbox.set-password":    object{"password": Password},
		"mailbox.bulk":            object{"action": "disable", "ids": []string{ids.Mailbox}},
		"mailbox.switch-protocol": object{"minutes": 1},
		"doctor.run":              draft,
		"doctor.dry-run":          draft,
		"doctor.folders":          draft,
		"routing.simulate":        object{"mailbox": ids.Mailbox, "text": "To: support@" + ids.Tenant + ".example\r\n\r\n"},
		"account.put":             object{"role": "tenant-admin", "tenant": ids.Tenant},
		"token.create":            object{"name": "another", "role": "reader", "tenant": ids.Tenant, "days": 1},
	}
	return bodies[op.Name]
}

// Input returns the whole input of an operation as JSON has it on events: what
// stands in path, query, header and body of REST.
func Input(op operation.Operation, ids Ids, who Person) map[string]any {
	values := map[string]any{
		"tenant": ids.Tenant, "folder": ids.Folder, "mailbox": ids.Mailbox, "mail": ids.Mail, "letter": ids.Dead, "position": 1,
		"account": who.Name, "session": who.Session, "token": who.ID,
	}
	in := map[string]any{}
	fill(op.Input, values, in)
	if f, ok := op.Input.FieldByName("Body"); ok {
		in[key(f)] = Body(op, ids)
	}
	if op.Name == "doctor.recognise" {
		in["address"] = "info@acme.example"
	}
	if _, ok := op.Input.FieldByName("IfMatch"); ok {
		in["if_match"] = "*"
	}
	return in
}

func fill(t reflect.Type, values, in map[string]any) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			fill(f.Type, values, in)
		} else if name := f.Tag.Get("path"); name != "" {
			in[key(f)] = values[name]
		}
	}
}

func key(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
