package cli

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) routing() *cobra.Command {
	routing := c.ofTenant(group(&cobra.Command{Use: "routing", Short: "Try out where mail goes, and find what matches no folder"}))
	routing.AddCommand(c.simulate(), c.unmatched())
	return routing
}

func (c *command) simulate() *cobra.Command {
	var mailbox string
	cmd := performs(&cobra.Command{
		Use: "simulate [FILE]", Short: "Say where a mail would go, and why", Args: atMostOne,
		Long:    "Takes a mail, or only its header, from a file or from standard input. Nothing is stored.",
		Example: "  mailyard routing simulate mail.eml --mailbox info\n  echo 'To: support@acme.example' | mailyard routing simulate",
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := c.readMail(args)
			if err != nil {
				return err
			}
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			var out operation.Simulation
			body := operation.SimulatedMail{Mailbox: mailbox, Base64: base64.StdEncoding.EncodeToString(raw)}
			r, err := c.read(cmd.Context(), call{operation: "routing.simulate", path: path, body: body}, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printSimulation(out) })
		},
	}, "routing.simulate")
	cmd.Flags().StringVar(&mailbox, "mailbox", "", "mailbox that it would arrive in (default: one with all folders and default rules)")
	c.completeFlag(cmd, "mailbox", c.mailboxIDs)
	return cmd
}

// readMail reads what the simulator looks at: not more than it takes.
func (c *command) readMail(args []string) ([]byte, error) {
	in := c.streams.In
	if len(args) == 1 && args[0] != "-" {
		f, err := os.Open(args[0])
		if err != nil {
			return nil, fmt.Errorf("reading the mail: %w", err)
		}
		defer f.Close()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, operation.MaxSimulated))
	if err != nil {
		return nil, fmt.Errorf("reading the mail: %w", err)
	}
	return raw, nil
}

func (c *command) printSimulation(out operation.Simulation) error {
	if err := c.printf("Subject  %s\nLane     %s\nVerdict  %s %s\n\n", clean(out.Subject), out.Lane, out.Decision.Verdict, out.Decision.Reason); err != nil {
		return err
	}
	rows := [][]string{{"ADDRESS", "HEADER", "FOLDER", "LOOKED AT"}}
	for _, a := range out.Addresses {
		rows = append(rows, []string{oneLine(a.Address, 80), a.Header, clean(a.FolderName), strconv.FormatBool(a.Used)})
	}
	if len(out.Addresses) > 0 {
		if err := c.table(rows); err != nil {
			return err
		}
	}
	return c.printf("\nThen %s.\n", oneLine(strings.TrimSuffix(out.Consequence, "."), 200))
}

func (c *command) unmatched() *cobra.Command {
	var in operation.ListUnmatched
	cmd := performs(&cobra.Command{
		Use: "unmatched", Short: "List addresses that were seen lately and match no folder", Args: noArgs, Example: "  mailyard routing unmatched --days 30",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			var out operation.Unmatched
			r, err := c.read(cmd.Context(), call{operation: "routing.unmatched", path: path, query: query(in)}, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				if len(out.Addresses) == 0 {
					return c.printf("All addresses that were seen match a folder.\n")
				}
				rows := [][]string{{"ADDRESS", "MAILS", "LAST", "MAILBOX", "NEWEST MAIL"}}
				for _, a := range out.Addresses {
					rows = append(rows, []string{oneLine(a.Address, 80), strconv.FormatInt(a.Count, 10), ageText(&a.Last), a.Mailbox, a.MailID})
				}
				return c.table(rows)
			})
		},
	}, "routing.unmatched")
	cmd.Flags().StringVar(&in.Mailbox, "mailbox", "", "only from this mailbox")
	cmd.Flags().IntVar(&in.Days, "days", 7, "how far back, up to 90 days")
	cmd.Flags().IntVar(&in.Limit, "limit", 50, "at most this many, up to 500")
	c.completeFlag(cmd, "mailbox", c.mailboxIDs)
	return cmd
}
