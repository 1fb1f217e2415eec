package config

// reservedTenant is where dead letters lie whose tenant nobody could tell.
const reservedTenant = "unknown"

// ValidateTenant checks a tenant by itself.
func ValidateTenant(t Tenant) Problems {
	var p Problems
	p.slug("id", t.ID)
	if t.ID == reservedTenant {
		p.add("id", "%s is reserved; choose another id", reservedTenant)
	}
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
