package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/mailyard/mailyard/pkg/fault"
)

// classify marks what is no fault of the data as unavailable: the server is
// away, stopping, full, read-only, or its schema or rights are not what they
// should be. ctx is that of the caller, whose end is not the server's fault.
func classify(ctx context.Context, err error) error {
	if err == nil || fault.IsPermanent(err) || fault.IsUnavailable(err) {
		return err
	}
	if cause := ctx.Err(); cause != nil {
		return errors.Join(cause, err)
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		if aboutData(server.Code) {
			return err
		}
		return fault.Unavailable(err)
	}
	var connecting *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &connecting) || errors.As(err, &network) || pgconn.Timeout(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, context.DeadlineExceeded) || strings.HasSuffix(err.Error(), "conn closed") {
		return fault.Unavailable(err)
	}
	return err
}

// aboutData tells by the class of the SQLSTATE (PostgreSQL, appendix A) whether
// an error may be due to the values of a statement. So may an internal error
// (XX000): a value that is too large for an index or for memory; but damage to
// data or an index (XX001, XX002) is not.
func aboutData(code string) bool {
	if len(code) != 5 {
		return true
	}
	if code == internalError {
		return true
	}
	switch code[:2] {
	case "22", // data exception
		"23", // integrity constraint violation
		"21", // cardinality violation
		"54": // program limit exceeded
		return true
	}
	return false
}

// refused marks what is in the way of opening a database as permanent, with what
// to do, when waiting will not mend it. Later, when the database was open once,
// the same answers mean that somebody is at work on it.
func refused(err error) error {
	var server *pgconn.PgError
	if !errors.As(err, &server) || len(server.Code) != 5 {
		return err
	}
	hint := ""
	switch {
	case server.Code[:2] == "28": // invalid authorization specification
		hint = "correct user and password in its URL, or let the user in by pg_hba.conf"
	case server.Code == "3D000": // invalid catalog name
		hint = "create the database, or correct its name in the URL"
	case server.Code == "3F000": // invalid schema name
		hint = "create the schema, or correct search_path in the URL"
	case server.Code == "42501": // insufficient privilege
		hint = "grant the user of its URL CONNECT on the database, and let it own the schema"
	default:
		return err
	}
	return fault.Permanent(fmt.Errorf("%s: %w", hint, err))
}

// internalError is the SQLSTATE of an error that PostgreSQL did not expect.
const internalError = "XX000"

// refuses tells whether the database will refuse the same values for ever. A
// unique violation depends on what others store meanwhile, an internal error on
// the server's state too, and what did not come from the server may be mended by
// the next version of this program.
func refuses(err error) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && len(server.Code) == 5 && aboutData(server.Code) && server.Code != uniqueViolation && server.Code != internalError
}

const uniqueViolation = "23505"

// conflicts tells whether the transaction lost against another one and will
// succeed when it is tried again.
func conflicts(err error) bool {
	var server *pgconn.PgError
	if !errors.As(err, &server) {
		return false
	}
	switch server.Code {
	case "40001", // serialization failure
		"40P01",         // deadlock detected
		uniqueViolation: // ON CONFLICT leaves none, but an UPDATE of a key can meet a concurrent INSERT
		return true
	}
	return false
}
