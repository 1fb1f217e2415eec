package control

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that callers tell apart. What is wrong with a document's values is
// config.Problems.
var (
	// ErrNotFound: the document does not exist, or is not the actor's to see.
	ErrNotFound = errors.New("it does not exist")
	// ErrExists: it was to be new.
	ErrExists = errors.New("it exists already")
	// ErrStale: the change was based on an older revision.
	ErrStale = errors.New("it was changed in the meantime; load it again and repeat the change")
	// ErrForbidden: the actor's role does not allow it.
	ErrForbidden = errors.New("it is not allowed")
	// ErrInUse is wrapped by InUseError.
	ErrInUse = errors.New("it is in use")
	// ErrNoTenantKey: a password cannot be kept without the tenant's key.
	ErrNoTenantKey = errors.New("the tenant has no Tenant Encryption Key; the landlord must set it in the Tenant Parameters first")
	// ErrNoMasterKey: the store was opened without the landlord's master key.
	ErrNoMasterKey = errors.New("the landlord's master key is not configured, without which no secret can be read or written")
)

// An InUseError says what still uses the document that was to be deleted.
type InUseError struct {
	By []string // "mailbox support"
}

func (e *InUseError) Error() string {
	const shown = 20
	by := e.By
	if len(by) > shown {
		by = append(append([]string(nil), by[:shown]...), fmt.Sprintf("%d more", len(e.By)-shown))
	}
	return "it is in use by " + strings.Join(by, ", ")
}

// Is makes errors.Is(err, ErrInUse) true.
func (e *InUseError) Is(target error) bool { return target == ErrInUse }
