package account

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/schemas"
)

// What audit entries of this package are about.
const (
	KindAccount schemas.Kind = "account" // the document is the account's name
	KindSession schemas.Kind = "session" // the document is the account's name, "unknown" if there is none
	KindToken   schemas.Kind = "token"   // the document is the token's id
)

// Errors that callers tell apart, besides those of package control. What is
// wrong with a value that somebody typed is config.Problems.
var (
	// ErrCredentials: no such account, a wrong password, or a disabled account.
	// Which of these is not told.
	ErrCredentials = errors.New("the name or the password is wrong")
	// ErrSignedOut: there is no such session, or it is over.
	ErrSignedOut = errors.New("you are signed out; sign in again")
	// ErrToken: the API token is unknown, expired or revoked, or its account stopped.
	ErrToken = errors.New("the API token is not valid; make a new one")
	// ErrTokenRests: the API token is good, but the identity provider has not
	// vouched for its owner for too long.
	ErrTokenRests = errors.New("the API token rests, because its owner has not signed in through the identity provider for too long; it works again when the owner signs in to the console")
	// ErrLink: the one-time link is unknown, used or expired.
	ErrLink = errors.New("the link is not valid any more; ask for a new one")
	// ErrSetupDone: there is a landlord's account already.
	ErrSetupDone = errors.New("there is a landlord's account already; sign in with it")
	// ErrLastLandlord: nobody could let anybody in any more.
	ErrLastLandlord = errors.New("it is the last landlord's account that can sign in; make another one first")
	// ErrByToken: an API token asked for what only who has signed in may do.
	ErrByToken = fmt.Errorf("%w: API tokens do not manage accounts; sign in to do that", control.ErrForbidden)
	// ErrRefused is wrapped by RefusedError.
	ErrRefused = errors.New("sign-in is refused")
)

// A ThrottledError refuses an attempt because too many failed before it.
type ThrottledError struct {
	After time.Duration // how long to wait
}

func (e *ThrottledError) Error() string {
	return fmt.Sprintf("too many attempts; try again in %v", e.After)
}

// A RefusedError does not let in whom an identity provider knows.
type RefusedError struct {
	Reason string // for the person: what happened and who can mend it
}

func (e *RefusedError) Error() string { return ErrRefused.Error() + ": " + e.Reason }

// Is makes errors.Is(err, ErrRefused) true.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// Vouched is how long a sign-in through an identity provider stands for the API
// tokens of the account, if Options do not say otherwise.
const Vouched = 30 * 24 * time.Hour

// Options of a Store. The zero value is good.
type Options struct {
	Cost   Cost // of hashing a password; zero: DefaultCost
	Hashes int  // how many passwords are hashed at once, which bounds the memory; 0: 2
	// Vouched is how long after a sign-in through an identity provider the API
	// tokens of the account work; 0: Vouched, 30 days.
	Vouched time.Duration
}

// A Store keeps accounts in the control database. Safe for concurrent use, also
// by several processes.
type Store struct {
	db      *control.Store
	hasher  *hasher
	vouched time.Duration
}

// New returns the accounts of a control database.
func New(c *control.Store, o Options) *Store {
	return &Store{db: c, hasher: newHasher(o.Cost, o.Hashes), vouched: cmp.Or(o.Vouched, Vouched)}
}
