package cli

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// Exit codes, as `mailyard --help` tells them.
const (
	exitFailed     = 1 // it was tried and did not work
	exitUsage      = 2 // the command line is wrong
	exitNotFound   = 3
	exitNotAllowed = 4 // not signed in, or not allowed
	exitConflict   = 5 // somebody else changed it, or it is in use
	exitAway       = 6 // mailyard does not run, or something that it needs does not
)

// A codedError ends the program with its code.
type codedError struct {
	code int
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// ExitCode is what the program ends with.
func (e *codedError) ExitCode() int { return e.code }

// ExitCode returns the code that a program ends with after Run returned err.
func ExitCode(err error) int {
	var coded *codedError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &coded):
		return coded.code
	}
	return exitFailed
}

func usagef(format string, args ...any) error {
	return &codedError{exitUsage, fmt.Errorf(format, args...)}
}

// codeOf returns the code for the status of a problem.
func codeOf(status int) int {
	switch status {
	case http.StatusNotFound:
		return exitNotFound
	case http.StatusUnauthorized, http.StatusForbidden:
		return exitNotAllowed
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusPreconditionRequired:
		return exitConflict
	case http.StatusServiceUnavailable, http.StatusBadGateway, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return exitAway
	}
	return exitFailed
}

// isStatus reports whether the service answered with a problem of the status.
func isStatus(err error, status int) bool {
	var p *operation.Problem
	return errors.As(err, &p) && p.Status == status
}
