package cli

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/services/mailyard"
	"github.com/mailyard/mailyard/services/mailyard/demo"
)

func (c *command) up() *cobra.Command {
	var withDemo, quiet bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Run all of mailyard in this process",
		Long: `Runs every service in this process, until Ctrl-C. What it needs and is not
told to find elsewhere it brings along: nats-server, Redis, SQLite databases,
all in the data folder. A second start goes on where the first stopped.`,
		Example: `  mailyard up --demo       # with a demo mail server and sample mails
  mailyard up              # the mailboxes that were applied`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.runUp(cmd.Context(), withDemo, quiet)
		},
	}
	cmd.Flags().BoolVar(&withDemo, "demo", false, "with a demo mail server on loopback, and sample mails")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "do not tell what becomes of each mail")
	return cmd
}

func (c *command) runUp(ctx context.Context, withDemo, quiet bool) (err error) {
	settings, err := c.settings()
	if err != nil {
		return err
	}
	logger, err := terminalLogger(c.streams.Err, settings.LogLevel)
	if err != nil {
		return err
	}
	in, parts, stop, err := c.prepare(ctx, settings, withDemo, logger)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if !quiet {
		in.Narrate(c.streams.Out)
	}
	in.Version = process.Version()
	if err := c.greet(ctx, in, len(parts) > 0); err != nil {
		return err
	}
	began := context.AfterFunc(ctx, func() {
		_ = c.printf("\nStopping: finishing what was begun. Press Ctrl-C again to end at once.\n") // nobody is left to tell if it fails
	})
	defer began()
	if err := in.Run(ctx, parts...); err != nil {
		return err
	}
	return c.printf("Stopped. What is still in flight stays in its inbox or in %s, and goes on at the next start.\n", c.data)
}

// prepare opens the installation, with the demo if asked for. stop undoes it.
func (c *command) prepare(ctx context.Context, s deployment.Settings, withDemo bool, logger *zap.Logger) (in *mailyard.Installation, parts []process.Part, stop func() error, err error) {
	in, err = mailyard.Open(ctx, c.home(), s, logger)
	if err != nil || !withDemo {
		return in, nil, in.Close, err
	}
	// The mail server outlives the services, so that they can finish. It starts
	// when the home is locked: two must not serve the same mail.
	server, err := demo.Start(context.WithoutCancel(ctx), c.data, logger)
	if err != nil {
		return nil, nil, nil, errors.Join(err, in.Close())
	}
	for _, a := range []net.Addr{server.Addr(), server.SMTPAddr()} {
		in.Settings.InsecureHosts = append(in.Settings.InsecureHosts, a.String())
		in.Settings.MailNetworks = append(in.Settings.MailNetworks, a.String()) // this very port
	}
	// The usual mail ports of this machine, so that one may try what a wrong one does.
	in.Settings.MailNetworks = append(in.Settings.MailNetworks, "127.0.0.1")
	stop = func() error { return errors.Join(in.Close(), server.Close()) }
	err = demo.Install(ctx, in.Control, server)
	if errors.Is(err, demo.ErrDeleted) {
		err = c.printf("There are no sample mails: %v. For a demo, give another folder with --data.\n", err)
		if err == nil {
			return in, nil, stop, nil
		}
	}
	if err != nil {
		return nil, nil, nil, errors.Join(err, stop())
	}
	return in, []process.Part{demo.Trickle{Server: server, Dir: demo.Dir(c.data)}.Part()}, stop, nil
}

// greet says what runs and what to do next.
func (c *command) greet(ctx context.Context, in *mailyard.Installation, withDemo bool) error {
	flag := ""
	if c.data != "./data" {
		flag = " --data " + c.data
	}
	text := fmt.Sprintf("mailyard %s runs in %s. Ctrl-C stops it.\n", process.Version(), c.data)
	if withDemo {
		text += "Sample mails arrive at the demo mailbox demo/info; its folders are Support, Sales and Billing.\n"
	}
	setup, err := in.SetupURL(ctx)
	if err != nil {
		return err
	}
	if setup != "" {
		text += fmt.Sprintf("\nThe console waits for its first account, the landlord's. This link makes it; it works once, for a day:\n  %s\n", setup)
	} else {
		text += fmt.Sprintf("\nThe console: %s\n", in.ConsoleURL())
	}
	text += fmt.Sprintf(`
In another terminal:
  %[1]s mail list        what is stored
  %[1]s mail show ID     one mail: its way, and why it is where it is
  %[1]s mailbox list     mailboxes and their states
  %[1]s apply -f FILE    mailboxes of your own, from a file

`, c.streams.Program+flag)
	return c.printf("%s", text)
}
