package config

import (
	"slices"
	"time"

	"github.com/mailyard/mailyard/schemas/config"
)

const (
	maxFolders = 10_000  // of a mailbox
	maxItems   = 1000    // of an iteration
	maxCA      = 1 << 18 // octets of PEM
)

// ValidateMailbox checks a mailbox by itself.
func ValidateMailbox(m Mailbox) Problems { return validateMailbox(m, time.Now()) }

func validateMailbox(m Mailbox, now time.Time) Problems {
	var p Problems
	p.slug("tenant", m.Tenant)
	p.slug("id", m.ID)
	p.text("name", m.Name, maxName, true)
	p.prose("description", m.Description, maxDescription)
	p.folders(m)
	p.server("imap", m.IMAP, true)
	p.server("smtp", m.SMTP, false)
	p.text("username", m.Username, maxUsername, false)
	if m.Auth == "oauth2" {
		p.add("auth", "oauth2 is not available yet; use password")
	} else {
		p.oneOf("auth", m.Auth, "password")
	}
	p.within("connect_retries", m.ConnectRetries, 0, 100, "")
	p.within("max_idle_seconds", m.MaxIdleSeconds, 10, 86400, " seconds")
	p.sizes(m)
	p.within("max_items", m.MaxItems, 1, maxItems, "")
	p.oneOf("persisted_method", string(m.PersistedMethod), string(config.MethodMove), string(config.MethodDelete))
	p.oneOf("invalid_method", string(m.InvalidMethod), string(config.MethodMove), string(config.MethodDelete))
	p.folderNames(m)
	if m.Unmatched != config.UnmatchedInvalid && !slices.Contains(m.Folders, m.Unmatched) {
		p.add("unmatched", "%q is neither %s nor one of the mailbox's folders", shorten(m.Unmatched), config.UnmatchedInvalid)
	}
	p.oneOf("recipients", m.Recipients, config.RecipientsAuto, config.RecipientsHeaders, config.RecipientsEnvelope)
	p.importSince(m.ImportSince, now)
	if m.Enabled {
		p = append(p, MissingToEnable(m).Without(p)...)
	}
	return p
}

// MissingToEnable names what the document lacks of what a mailbox needs to be
// enabled. A password and the tenant's key are needed too, but stand elsewhere.
func MissingToEnable(m Mailbox) Problems {
	var p Problems
	need := func(ok bool, path, what string) {
		if !ok {
			p.add(path, "%s, without which the mailbox cannot be enabled", what)
		}
	}
	need(m.IMAP.Host != "", "imap.host", "the IMAP address is not set")
	need(m.Username != "", "username", "the Username is not set")
	need(len(m.Folders) > 0, "folders", "no folder is chosen")
	return p
}

func (p *Problems) folders(m Mailbox) {
	if len(m.Folders) > maxFolders {
		p.add("folders", "has %d folders; at most %d are allowed", len(m.Folders), maxFolders)
		return
	}
	seen := map[string]bool{}
	for i, id := range m.Folders {
		p.slug(element("folders", i), id)
		if seen[id] {
			p.add(element("folders", i), "%s stands twice", shorten(id))
		}
		seen[id] = true
	}
}

func (p *Problems) server(path string, s config.Server, required bool) {
	switch {
	case s.Host != "":
		p.host(path+".host", s.Host)
	case required:
		p.add(path+".host", "is required")
	}
	p.port(path+".port", s.Port)
	p.oneOf(path+".security", string(s.Security), string(config.SecurityAuto), string(config.SecurityTLS), string(config.SecuritySTARTTLS))
	if s.CA != "" {
		if err := checkCA(s.CA); err != nil {
			p.add(path+".ca", "%v", err)
		}
	}
}

func (p *Problems) sizes(m Mailbox) {
	switch {
	case m.MaxEmailBytes <= 0:
		p.add("max_email_bytes", "%d is not a size above 0 bytes", m.MaxEmailBytes)
	case m.MaxEmailBytes > maxEmailBytes:
		p.add("max_email_bytes", "%d is out of range (1-%d bytes)", m.MaxEmailBytes, maxEmailBytes)
	}
	switch {
	case m.MaxLightBytes <= 0:
		p.add("max_light_bytes", "%d is not a size above 0 bytes", m.MaxLightBytes)
	case m.MaxLightBytes > m.MaxEmailBytes && m.MaxEmailBytes > 0:
		p.add("max_light_bytes", "%d exceeds max_email_bytes (%d)", m.MaxLightBytes, m.MaxEmailBytes)
	}
}

// folderNames checks that mail is never disposed of to where it comes from, and
// that the three folders can be told apart. Without regard to case, as some
// servers compare.
func (p *Problems) folderNames(m Mailbox) {
	p.text("inbox", m.Inbox, maxName, true)
	taken := map[string]string{NameKey("INBOX"): "INBOX"}
	if m.Inbox != "" && NameKey(m.Inbox) != NameKey("INBOX") {
		taken[NameKey(m.Inbox)] = "inbox"
	}
	for _, f := range []struct{ path, name string }{
		{"persisted_folder", m.PersistedFolder}, {"invalid_folder", m.InvalidFolder}, {"deleted_folder", m.DeletedFolder},
	} {
		p.text(f.path, f.name, maxName, true)
		if f.name == "" {
			continue
		}
		if other, ok := taken[NameKey(f.name)]; ok {
			p.add(f.path, "%q must differ from %s (upper and lower case are the same here)", shorten(f.name), other)
			continue
		}
		taken[NameKey(f.name)] = f.path
	}
}

func (p *Problems) importSince(s string, now time.Time) {
	if s == config.ImportAll || s == config.ImportNew {
		return
	}
	day, err := time.Parse(time.DateOnly, s)
	switch {
	case err != nil:
		p.add("import_since", "%q is not all, new or a date (YYYY-MM-DD)", shorten(s))
	case day.After(now.UTC().Add(14 * time.Hour)): // the day has begun in no time zone
		p.add("import_since", "%s is in the future", s)
	}
}
