package imapconn

import (
	"errors"
	"fmt"

	"github.com/mailyard/mailyard/pkg/mailhost"
)

// ErrUIDValidity says that the selected folder is not the one that the UIDs
// belong to. Nothing was touched; the mailbox must be read anew.
var ErrUIDValidity = errors.New("UIDVALIDITY changed")

// What connections of every protocol share.
type (
	Kind   = mailhost.Kind
	Error  = mailhost.Error
	Target = mailhost.Target
)

// The kinds of trouble.
const (
	KindOther       = mailhost.KindOther
	KindCredentials = mailhost.KindCredentials
	KindTLS         = mailhost.KindTLS
	KindUnreachable = mailhost.KindUnreachable
	KindThrottled   = mailhost.KindThrottled
	KindFolder      = mailhost.KindFolder
	KindProtocol    = mailhost.KindProtocol
)

// KindOf returns the kind of an error of this package, KindOther for others.
func KindOf(err error) Kind { return mailhost.KindOf(err) }

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
