package schemas

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"
)

// MailKey identifies one mail for ever (RFC 3501, section 2.3.1.1): no two
// mails of a mailbox ever share UIDVALIDITY and UID. It is comparable and is
// the idempotency key of every effect in the pipeline.
type MailKey struct {
	Tenant      string
	Mailbox     string
	UIDValidity uint32
	UID         uint32
}

var mailIDEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// ID returns the mail id: 26 lower-case base32 characters (130 bits) derived
// from the key alone, so that whoever sees the mail again computes the same id.
func (k MailKey) ID() string {
	sum := sha256.Sum256([]byte(k.String()))
	return strings.ToLower(mailIDEncoding.EncodeToString(sum[:])[:26])
}

// String returns "tenant/mailbox/uidvalidity/uid", for logs and errors.
func (k MailKey) String() string {
	return k.Tenant + "/" + k.Mailbox + "/" + strconv.FormatUint(uint64(k.UIDValidity), 10) + "/" + strconv.FormatUint(uint64(k.UID), 10)
}

// Source returns the CloudEvents source of everything said about this mail's mailbox.
func (k MailKey) Source() string { return Source(k.Tenant, k.Mailbox) }

// Subject returns the CloudEvents subject, "uidvalidity/uid".
func (k MailKey) Subject() string { return fmt.Sprintf("%d/%d", k.UIDValidity, k.UID) }

// Source returns the CloudEvents source of a mailbox: "/tenants/<t>/mailboxes/<m>".
func Source(tenant, mailbox string) string {
	return "/tenants/" + tenant + "/mailboxes/" + mailbox
}
