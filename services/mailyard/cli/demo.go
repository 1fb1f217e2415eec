package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/services/mailyard/demo"
)

func (c *command) demo() *cobra.Command {
	var addr, passwordFile string
	demo := group(&cobra.Command{Use: "demo", Short: "Try mailyard out without a mail server of your own"})
	serve := &cobra.Command{
		Use:   "serve",
		Short: "Run only the demo mail server, with sample mails that trickle in",
		Long: `Runs an IMAP server with one mailbox, to which sample mails of every kind are
delivered, one after the other. It speaks clear text, so keep it where only you
can reach it; the services log in only if MAILYARD_INSECURE_HOSTS lists it, and
dial it only if MAILYARD_MAIL_NETWORKS does.`,
		Example: "  mailyard demo serve\n  mailyard demo serve --listen 0.0.0.0:10143 --password-file /run/secrets/demo_password",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.serveDemo(cmd.Context(), addr, passwordFile)
		},
	}
	serve.Flags().StringVar(&addr, "listen", "", "address to listen on (default 127.0.0.1:10143, or the last one)")
	serve.Flags().StringVar(&passwordFile, "password-file", "", `file with the mailbox's password (default: the password is "demo")`)
	demo.AddCommand(serve)
	return demo
}

func (c *command) serveDemo(ctx context.Context, addr, passwordFile string) (err error) {
	settings, err := c.settings()
	if err != nil {
		return err
	}
	logger, err := settings.NewLogger("demo")
	if err != nil {
		return err
	}
	defer func() { _ = logger.Sync() }() // standard error cannot always be synced
	password := demo.Password
	if passwordFile != "" {
		raw, err := os.ReadFile(passwordFile)
		if err != nil {
			return fmt.Errorf("reading the demo's password: %w", err)
		}
		if password = strings.TrimRight(string(raw), "\r\n"); password == "" {
			return fmt.Errorf("reading the demo's password: %s is empty", passwordFile)
		}
	}
	dir := demo.Dir(c.data)
	server, err := demo.StartServer(context.WithoutCancel(ctx), dir, addr, password, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	// A part of its own, so that who reads it finds the health endpoints serving.
	greeting := process.Func(func(context.Context, func()) error {
		return c.printf("The demo mail server listens on %s; its mailbox is %s. Ctrl-C stops it.\n", server.Addr(), demo.User)
	})
	trickle := demo.Trickle{Server: server, Dir: dir}
	return process.Run(ctx, process.Options{Grace: settings.Grace, Health: settings.Health, Logger: logger}, process.Part{Name: "greeting", Service: greeting}, trickle.Part())
}

func (c *command) healthcheck() *cobra.Command {
	return &cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the process that runs with these settings whether it is well",
		Long: `Exits with 0 if the process that serves its health on the address of the
settings (health, MAILYARD_HEALTH_ADDR) is well: for containers, which have no
other program to ask with.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			return process.Probe(cmd.Context(), s.Health)
		},
	}
}
