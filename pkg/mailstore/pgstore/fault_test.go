package pgstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/mailyard/mailyard/pkg/fault"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	server := func(code string) error {
		return fmt.Errorf("inserting: %w", &pgconn.PgError{Code: code, Message: "m"})
	}
	for name, test := range map[string]struct {
		err         error
		unavailable bool
	}{
		"too many connections":       {server("53300"), true},
		"disk full":                  {server("53100"), true},
		"admin shutdown":             {server("57P01"), true},
		"crash shutdown":             {server("57P02"), true},
		"cannot connect now":         {server("57P03"), true},
		"connection failure":         {server("08006"), true},
		"read-only transaction":      {server("25006"), true},
		"I/O error":                  {server("58030"), true},
		"missing table":              {server("42P01"), true},
		"missing right":              {server("42501"), true},
		"wrong password":             {server("28P01"), true},
		"lock not available":         {server("55P03"), true},
		"deadlock, tried enough":     {server("40P01"), true},
		"invalid byte sequence":      {server("22021"), false},
		"check violation":            {server("23514"), false},
		"unique violation":           {server("23505"), false},
		"index row size":             {server("54000"), false},
		"internal error":             {server("XX000"), false},
		"data corrupted":             {server("XX001"), true},
		"end of file":                {io.ErrUnexpectedEOF, true},
		"closed by us":               {fmt.Errorf("writing: %w", net.ErrClosed), true},
		"network":                    {&net.OpError{Op: "read", Err: errors.New("connection reset by peer")}, true},
		"our own time limit":         {context.DeadlineExceeded, true},
		"a value without encoding":   {errors.New("failed to encode args[0]"), false},
		"already of class permanent": {fault.Permanent(server("53300")), false},
	} {
		err := classify(t.Context(), test.err)
		if fault.IsUnavailable(err) != test.unavailable || !errors.Is(err, test.err) && err.Error() != test.err.Error() {
			t.Errorf("%s: %v is unavailable: %v, want %v", name, err, fault.IsUnavailable(err), test.unavailable)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := classify(ctx, server("57014")); !errors.Is(err, context.Canceled) || fault.IsUnavailable(err) {
		t.Errorf("a cancelled call: %v", err)
	}
	if classify(ctx, nil) != nil {
		t.Error("no error was given a class")
	}
}

// What is refused for ever makes a dead letter at once; everything else is tried
// again, and only then.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{
		"22021": true, "22P05": true, "21000": true, "54000": true, "23514": true, "23502": true, "23503": true,
		"23505": false, "XX000": false, "40P01": false, "53100": false, "57014": false, "42P01": false, "P0001": false, "": false,
	} {
		err := fmt.Errorf("inserting: %w", &pgconn.PgError{Code: code, Message: "m"})
		if refuses(err) != want {
			t.Errorf("SQLSTATE %q: refused for ever: %v, want %v", code, !want, want)
		}
	}
	if refuses(errors.New("failed to encode args[0]")) || refuses(nil) {
		t.Error("what the server did not say counts as refused by it")
	}
}
