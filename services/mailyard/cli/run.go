package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/services/mailyard"
)

// Streams are what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	Program  string // how the program was called, for hints; empty: mailyard
}

// Run runs one command line. environ is as of os.Environ.
func Run(ctx context.Context, args []string, s Streams, environ []string) error {
	s.Program = cmp.Or(s.Program, "mailyard")
	c := &command{streams: s, environ: environ}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	var coded *codedError
	if err != nil && !c.began && !errors.As(err, &coded) {
		return &codedError{exitUsage, err} // no command came as far as to do something
	}
	return err
}

// A command is what all commands share: the global flags and the streams.
type command struct {
	streams Streams
	environ []string
	data    string
	config  string
	json    bool
	server  string // of REST; empty: the local installation's
	token   string // a secret
	tenant  string
	began   bool // the command line was right
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "mailyard",
		Short: "Takes mail from IMAP mailboxes into a messaging database, and loses none of it",
		Long: `mailyard takes mail from external IMAP mailboxes into a messaging database,
matches each mail to folders by recipient address, and only after the commit
moves or deletes it on the mail server.

Everything lives in one folder (--data) unless settings (--config, or
MAILYARD_… variables) say otherwise. Commands on tenants, folders, mailboxes and
mail ask the service that runs there, or the one that --server names.

Exit codes: 0 done; 1 it failed; 2 the command line is wrong; 3 not found;
4 not signed in, or not allowed; 5 changed by somebody else, or in use;
6 mailyard does not run, or does not answer.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       process.Version(),
	}
	flags := root.PersistentFlags()
	flags.StringVar(&c.data, "data", c.variable("MAILYARD_DATA", "./data"), "folder of the installation")
	flags.StringVar(&c.config, "config", "", "file with the installation's settings (or MAILYARD_CONFIG)")
	flags.BoolVar(&c.json, "json", false, "print JSON, for programs")
	flags.StringVar(&c.server, "server", c.variable("MAILYARD_SERVER", ""), "address of a running mailyard, such as https://mail.example.org (default: the one of --data)")
	flags.StringVar(&c.token, "token", "", "API token; better given by MAILYARD_TOKEN, or in a file by MAILYARD_TOKEN_FILE")
	root.AddGroup(
		&cobra.Group{ID: "run", Title: "Run it:"},
		&cobra.Group{ID: "manage", Title: "Manage what runs:"},
		&cobra.Group{ID: "documents", Title: "Work on the databases, whether it runs or not:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = group
			root.AddCommand(cmd)
		}
	}
	add("run", c.up(), c.key(), c.demo(), c.healthcheck())
	add("manage", c.tenants(), c.folders(), c.mailboxes(), c.routing(), c.mail(), c.mails(), c.dead(), c.audit(), c.accounts(), c.sessions(), c.tokens(), c.system())
	add("documents", c.status(), c.apply(), c.export())
	root.PersistentPreRun = func(*cobra.Command, []string) { c.began = true }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w; see `%s --help`", err, cmd.CommandPath())
	})
	return root
}

func (c *command) variable(name, standard string) string {
	for _, e := range c.environ {
		if v, ok := strings.CutPrefix(e, name+"="); ok && v != "" {
			return v
		}
	}
	return standard
}

func (c *command) home() mailyard.Home { return mailyard.Home{Dir: c.data} }

func (c *command) settings() (deployment.Settings, error) {
	return c.home().Settings(c.config, c.environ)
}

// control opens the control database of an installation that is there.
func (c *command) control(ctx context.Context) (*control.Store, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	if err := c.home().Installed(s); err != nil {
		return nil, err
	}
	return mailyard.OpenControl(ctx, s, zap.NewNop())
}

// open opens the control database, and makes it if it is missing.
func (c *command) open(ctx context.Context) (*control.Store, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	if err := c.home().Prepare(s); err != nil {
		return nil, err
	}
	return mailyard.OpenControl(ctx, s, zap.NewNop())
}

// stores opens the messaging databases.
func (c *command) stores(ctx context.Context) (stores.Stores, error) {
	s, err := c.settings()
	if err != nil {
		return nil, err
	}
	if err := c.home().Installed(s); err != nil {
		return nil, err
	}
	return stores.Open(ctx, s.Messaging, zap.NewNop())
}
