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

// usualAddr is where the demo mail server listens unless another program does.
const usualAddr = "127.0.0.1:10143"

// StartServer starts the demo mail server in a folder, with the password of User.
// With no address given it listens where it did before, so that the demo mailbox
// stays the same.
func StartServer(ctx context.Context, dir, addr, password string, logger *zap.Logger) (*demoserver.Server, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the demo's folder: %w", err)
	}
	remembered := filepath.Join(dir, "address")
	tried := []string{addr}
	if addr == "" {
		tried = []string{usualAddr, "127.0.0.1:0"}
		if raw, err := os.ReadFile(remembered); err == nil {
			tried = append([]string{strings.TrimSpace(string(raw))}, tried...)
		}
	}
	var errs []error
	for _, a := range tried {
		if _, _, err := net.SplitHostPort(a); err != nil {
			errs = append(errs, fmt.Errorf("listening on %q: %w", a, err))
			continue
		}
		s, err := demoserver.Start(ctx, demoserver.Options{Dir: filepath.Join(dir, "mail"), Addr: a, Users: map[string]string{User: password}, Logger: logger})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if err := os.WriteFile(remembered, []byte(s.Addr().String()+"\n"), 0o600); err != nil {
			return nil, errors.Join(fmt.Errorf("remembering the demo's address: %w", err), s.Close())
		}
		return s, nil
	}
	return nil, errors.Join(errs...)
}
