package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/services/mailyard"
)

// Version is the version that `mailyard --version` prints. The build sets it.
var Version = "devel"

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
	return root.ExecuteContext(ctx)
}

// A command is what all commands share: the global flags and the streams.
type command struct {
	streams Streams
	environ []string
	data    string
	config  string
	json    bool
}

func (c *command) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "mailyard",
		Short: "Takes mail from IMAP mailboxes into a messaging database, and loses none of it",
		Long: `mailyard takes mail from external IMAP mailboxes into a messaging database,
matches each mail to folders by recipient address, and only after the commit
moves or deletes it on the mail server.

Everything lives in one folder (--data) unless settings (--config, or
MAILYARD_… variables) say otherwise.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       Version,
	}
	flags := root.PersistentFlags()
	flags.StringVar(&c.data, "data", c.variable("MAILYARD_DATA", "./data"), "folder of the installation")
	flags.StringVar(&c.config, "config", "", "file with the installation's settings (or MAILYARD_CONFIG)")
	flags.BoolVar(&c.json, "json", false, "print JSON, for programs")
	root.AddCommand(c.up(), c.apply(), c.export(), c.mails(), c.mail(), c.status(), c.dead(), c.key(), c.demo(), c.healthcheck())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath())
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
