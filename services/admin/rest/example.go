package rest

// examples are bodies to begin with, by operation.
func examples() map[string]any {
	type object = map[string]any
	mailbox := object{
		"name": "Info", "enabled": false, "folders": []string{"support"}, "username": "info@acme.example", "password": "correct horse battery staple",
		"imap": object{"host": "imap.acme.example", "port": 993, "security": "auto"},
		"smtp": object{"host": "smtp.acme.example", "port": 587, "security": "auto"},
	}
	return map[string]any{
		"tenant.put":              object{"name": "Acme", "limits": object{"mailboxes": 100, "mail_per_day": 0}},
		"folder.put":              object{"name": "Support", "address": "support@acme.example", "aliases": []string{"help@acme.example"}},
		"mailbox.put":             mailbox,
		"mailbox.check":           mailbox,
		"mailbox.set-password":    object{"password": "correct horse battery staple"},
		"mailbox.bulk":            object{"action": "disable", "ids": []string{"info", "sales"}},
		"mailbox.switch-protocol": object{"minutes": 15},
		"doctor.run":              object{"document": mailbox},
		"doctor.dry-run":          object{"id": "info", "document": mailbox},
		"doctor.folders":          object{"document": mailbox},
		"routing.simulate":        object{"mailbox": "info", "text": "From: kim@example.org\r\nTo: support@acme.example\r\nSubject: Hello\r\n\r\n"},
	}
}
