package imapconn

import (
	"errors"
	"fmt"
	"time"
)

// ErrUIDValidity says that the selected folder is not the one that the UIDs
// belong to. Nothing was touched; the mailbox must be read anew.
var ErrUIDValidity = errors.New("UIDVALIDITY changed")

// Kind says what sort of trouble an error is.
type Kind int

// The kinds of trouble.
const (
	KindOther       Kind = iota
	KindCredentials      // the server refused the username or password
	KindTLS              // no secure connection could be made, or not as configured
	KindUnreachable      // no connection, or it was lost
	KindThrottled        // the server asked us to wait
	KindFolder           // a folder is missing, cannot be made, or is full
	KindProtocol         // the server said something that cannot be understood or accepted
)

var kindNames = [...]string{"other", "credentials", "tls", "unreachable", "throttled", "folder", "protocol"}

// String returns the kind in lower case, for logs and metrics.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return "other"
	}
	return kindNames[k]
}

// An Error is what every method returns for trouble with the server. For
// package fault it is Delayed when After is set, and Unavailable when the
// server could not be reached; a retry may always help.
type Error struct {
	Op    string        // what was being done, with tenant and mailbox
	Kind  Kind          //
	After time.Duration // with KindThrottled: the wait that the server asked for, or a default
	Hint  string        // how to mend it, for people; may be empty
	Err   error         // the cause; server text in it is cleaned and cut
}

func (e *Error) Error() string {
	if e.Hint == "" {
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s: %v (%s)", e.Op, e.Err, e.Hint)
}

func (e *Error) Unwrap() error { return e.Err }

// KindOf returns the kind of an error of this package, KindOther for others.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return KindOther
}

// A TooLargeError says that the server began to send a mail that is larger than
// Options.MaxLiteral. The connection is gone; the mail is to be treated as oversize.
type TooLargeError struct {
	UID   uint32 // 0 when the server did not say
	Size  int64  // as announced, bytes
	Limit int64  // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("mail with UID %d has %d bytes, more than the %d allowed", e.UID, e.Size, e.Limit)
}
