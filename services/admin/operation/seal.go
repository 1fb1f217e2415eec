package operation

import (
	"math"

	"github.com/mailyard/mailyard/pkg/opaque"
)

// Numbers that count for the whole installation go out as tokens only (package
// opaque): gaps between them would tell a tenant how much the others do. Every
// door has the same token of a number, the landlord's too.
const (
	revisionNumber = "revision" // of documents
	accountNumber  = "account"  // revision of an account; it counts for the account alone
	auditNumber    = "audit"    // of an entry
	deadNumber     = "dead-letter"
	mailNumber     = "mail"
)

// noRevision is the revision of nothing: what a token stands for that does not
// open. It is answered as one that is not the latest any more.
const noRevision int64 = math.MaxInt64

// revisions seals the revisions of a tenant's documents.
func (d *Desk) revisions(tenant string) opaque.Sealer {
	return d.Control.Sealer(revisionNumber, tenant)
}

// accountRevisions seals the revisions of accounts.
func (d *Desk) accountRevisions() opaque.Sealer { return d.Control.Sealer(accountNumber, "") }
