package config

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Origin names the account and folder that a mailbox's mail comes from: 16
// hexadecimal digits that change when host, username or inbox do. Within one
// origin a UIDVALIDITY and a UID name one mail (RFC 3501, section 2.3.1.1).
func (m Mailbox) Origin() string {
	sum := sha256.Sum256([]byte(strings.ToLower(m.IMAP.Host) + "\n" + strings.ToLower(m.Username) + "\n" + m.Inbox))
	return hex.EncodeToString(sum[:8])
}
