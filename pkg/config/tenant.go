package config

// ValidateTenant checks a tenant by itself.
func ValidateTenant(t Tenant) Problems {
	var p Problems
	p.slug("id", t.ID)
	p.text("name", t.Name, maxName, true)
	p.slug("messaging_database", t.MessagingDatabase)
	for _, limit := range []struct {
		path string
		n    int
	}{{"limits.mailboxes", t.Limits.Mailboxes}, {"limits.mail_per_day", t.Limits.MailPerDay}} {
		switch {
		case limit.n < 0:
			p.add(limit.path, "%d is not a limit; 0 means none", limit.n)
		case limit.n > maxNumber:
			p.add(limit.path, "%d is out of range (0-%d)", limit.n, int64(maxNumber))
		}
	}
	return p
}
