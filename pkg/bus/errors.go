package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/fault"
)

// ErrFull says that a stream has no room (it discards new messages) or takes
// no more at the moment. It is back-pressure: wait, then publish again. Errors
// that wrap it are fault.Unavailable.
var ErrFull = errors.New("the stream is full")

// ErrTooLarge says that a message cannot be published because of its size: the
// payload exceeds MaxPayload or the limit of the stream. Errors that wrap it
// are fault.Permanent.
var ErrTooLarge = errors.New("the message is too large")

// ErrBlobMissing says that a claim check names no object: it expired, was
// deleted after completion, or the NATS store was wiped. The mail has to be
// fetched again.
var ErrBlobMissing = errors.New("the blob is missing")

// ErrNotFound says that there is no dead letter of that sequence.
var ErrNotFound = errors.New("no such dead letter")

// Error codes of the JetStream API (nats-server, server/errors.json) that
// nats.go has no names for.
const (
	codeInsufficientResources jetstream.ErrorCode = 10023
	codeStorageExceeded       jetstream.ErrorCode = 10047
	codeMessageExceedsMaximum jetstream.ErrorCode = 10054
	codeStoreFailed           jetstream.ErrorCode = 10077 // maximum bytes or messages exceeded, disk full
	codeTooManyRequests       jetstream.ErrorCode = 10167
)

const (
	statusTooManyRequests = 429
	statusServerError     = 500
)

// publishError gives an error of publishing its class.
func publishError(subject string, err error) error {
	return fmt.Errorf("publishing on %s: %w", subject, classify(err))
}

func classify(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api):
		return classifyAPI(err, api)
	case errors.Is(err, nats.ErrMaxPayload):
		return fault.Permanent(fmt.Errorf("%w: %w", ErrTooLarge, err))
	case errors.Is(err, nats.ErrBadSubject), errors.Is(err, nats.ErrBadHeaderMsg):
		return fault.Permanent(err)
	case errors.Is(err, context.Canceled):
		return err // the caller gave up: that says nothing about the server
	}
	// No responders, time-outs, disconnections, a closed connection. A refused
	// permission looks like a time-out, too; the error handler logs it.
	return fault.Unavailable(err)
}

func classifyAPI(err error, api *jetstream.APIError) error {
	switch api.ErrorCode {
	case codeStoreFailed, codeInsufficientResources, codeStorageExceeded, codeTooManyRequests:
		return fault.Unavailable(fmt.Errorf("%w: %w", ErrFull, err))
	case codeMessageExceedsMaximum:
		return fault.Permanent(fmt.Errorf("%w: %w", ErrTooLarge, err))
	}
	switch {
	case api.Code == statusTooManyRequests:
		return fault.Unavailable(fmt.Errorf("%w: %w", ErrFull, err))
	case api.Code >= statusServerError:
		return fault.Unavailable(err)
	}
	return err
}
