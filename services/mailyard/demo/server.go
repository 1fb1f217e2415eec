package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/demoserver"
)

// Where the demo mail server listens unless another program does.
const (
	usualAddr     = "127.0.0.1:10143"
	usualSMTPAddr = "127.0.0.1:10587"
)

// free lets the system choose a port.
const free = "127.0.0.1:0"

// StartServer starts the demo mail server in a folder, with the password of its
// users. With no address given it listens where it did before, so that the demo
// mailbox stays the same.
func StartServer(ctx context.Context, dir, addr, password string, logger *zap.Logger) (*demoserver.Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the demo's folder: %w", err)
	}
	remembered := filepath.Join(dir, "address")
	var before []string // of IMAP, then of SMTP
	if raw, err := os.ReadFile(remembered); err == nil {
		before = strings.Fields(string(raw))
	}
	imap, smtp := []string{usualAddr, free}, []string{usualSMTPAddr, free}
	if len(before) > 0 {
		imap = append(before[:1:1], imap...)
	}
	if len(before) > 1 {
		smtp = append(before[1:2:2], smtp...)
	}
	if addr != "" {
		imap = []string{addr}
	}
	options := demoserver.Options{Dir: filepath.Join(dir, "mail"), Users: map[string]string{User: password, SecondUser: password}, Logger: logger}
	s, err := startAt(ctx, options, imap, smtp)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(remembered, []byte(s.Addr().String()+"\n"+s.SMTPAddr().String()+"\n"), 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("remembering the demo's addresses: %w", err), s.Close())
	}
	return s, nil
}

// startAt starts the server on the first addresses of each list that it gets.
func startAt(ctx context.Context, o demoserver.Options, imap, smtp []string) (*demoserver.Server, error) {
	var errs []error
	for _, a := range imap {
		if _, _, err := net.SplitHostPort(a); err != nil {
			errs = append(errs, fmt.Errorf("listening on %q: %w", a, err))
			continue
		}
		for _, b := range smtp {
			o.Addr, o.SMTPAddr = a, b
			s, err := demoserver.Start(ctx, o)
			if err == nil {
				return s, nil
			}
			errs = append(errs, err)
		}
	}
	return nil, errors.Join(errs...)
}
