package mailstore

import (
	"context"
	"errors"
	"time"

	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

// ErrNotFound is returned for a mail or an attachment that is not stored, or
// is another tenant's.
var ErrNotFound = errors.New("not found in the messaging database")

// A QueryError says what is wrong with what was asked, for the person who asked.
type QueryError struct {
	Field   string // JSON name of the field, as of Query
	Problem string // "is longer than 1,000 characters"
}

func (e *QueryError) Error() string { return e.Field + " " + e.Problem }

// A Mail is what is persisted of one mail.
type Mail struct {
	Key          schemas.MailKey
	Origin       string // of the account and folder it was fetched from, see config.Mailbox.Origin; empty: not known
	Lane         schemas.Lane
	Size         int64  // octets of the whole mail
	SHA256       string // hex, of the bytes that were read
	InternalDate time.Time
	FetchedAt    time.Time
	Decision     schemas.Decision
	Message      *message.Message // nil is an empty message
	Raw          []byte           // the whole mail; the header section when the reason is oversize
}

// An Outcome says what is stored of one mail of a batch. A mail that comes again
// may have been decided on otherwise meanwhile: the first decision stays.
type Outcome struct {
	MailID   string // of the row that holds the mail
	Verdict  schemas.Verdict
	Reason   schemas.Reason // set when the verdict is invalid
	Items    []OutcomeItem  // in their stored order; none when the verdict is invalid
	New      bool           // whether this call stored it; false: it was there already
	Disposed bool           // whether it is recorded as gone from the inbox
}

// An OutcomeItem is a stored clone of a mail.
type OutcomeItem struct {
	ID     string // see ItemID
	Folder string // id of the folder
}

// A Store is a messaging database. Its methods may be called concurrently, and
// several processes may have the same database open.
//
// Errors: fault.IsUnavailable if the database is away, full or overloaded, so
// that the same call may succeed later; ErrNotFound; QueryError; anything else
// is about what was asked.
type Store interface {
	// Persist stores the mails of a batch in one transaction, all or none, and
	// returns one outcome per mail, in the order of the input. It is idempotent
	// on the mail key: what is there already stays as it was first stored.
	//
	// When the UIDVALIDITY of a mailbox changed, mail that is stored but still
	// in the inbox comes again under a new key. It is recognised by SHA-256 and
	// size: the stored row gets the new key and keeps its ids.
	//
	// An error that is not of class Unavailable is about the content of the
	// batch: the caller halves it and tries again. For a batch of one mail it is
	// of class Permanent when the database will refuse the mail for ever.
	Persist(ctx context.Context, mails []Mail) ([]Outcome, error)

	// RecordDisposed records that mails left the inbox. UIDs that are not
	// stored, or are recorded as disposed of already, are passed over.
	RecordDisposed(ctx context.Context, d schemas.Disposed) error

	// ClaimOverdue returns at most limit mails whose disposal is to be asked for
	// again as of now, and sets when each is the next time: of those who call it
	// at the same time, one gets a mail. Mail whose origin is not known is never
	// returned: it could not be told from another account's.
	ClaimOverdue(ctx context.Context, now time.Time, limit int) ([]Overdue, error)

	// IndexPending adds at most limit mails to the full-text index and returns
	// how many it added: fewer than limit when it caught up. A background worker
	// calls it; mail is found by Query.Text only after that.
	IndexPending(ctx context.Context, limit int) (int, error)

	// Mails returns the mails that the query asks for, newest persisted first.
	// QueryError: the query makes no sense.
	Mails(ctx context.Context, q Query) ([]Summary, error)
	// Mail returns all that is stored of a mail except its bytes. Only the
	// landlord may ask without a tenant.
	Mail(ctx context.Context, tenant, mailID string) (Detail, error)
	// Raw returns the bytes of a mail: its header section when it is oversize.
	Raw(ctx context.Context, tenant, mailID string) ([]byte, error)
	// Attachment returns an attachment with its content; position counts from 1.
	Attachment(ctx context.Context, tenant, mailID string, position int) (Attachment, error)
	// Stats returns counts per mailbox, of one tenant or, for "", of all.
	Stats(ctx context.Context, tenant string) (Stats, error)
	// Undisposed returns how many mails of a mailbox are persisted and not known
	// to have left the inbox, and when the oldest of them was persisted.
	Undisposed(ctx context.Context, tenant, mailbox string) (mails int64, oldest *time.Time, err error)
	// UnmatchedAddresses returns the addresses of mail that no folder matched,
	// persisted at since or later: those that routing decided by, newest first.
	// It looks at the newest MaxUnmatchedMails such mails. An empty tenant or
	// mailbox is all of them; limit is 1 to MaxLimit, 0 is 50.
	UnmatchedAddresses(ctx context.Context, tenant, mailbox string, since time.Time, limit int) ([]UnmatchedAddress, error)
	// Throughput returns a point for every interval of the query, also for those
	// without mail, in the order of time. QueryError: the query makes no sense.
	Throughput(ctx context.Context, q ThroughputQuery) ([]ThroughputPoint, error)

	// Close waits for the calls that are under way.
	Close() error
}
