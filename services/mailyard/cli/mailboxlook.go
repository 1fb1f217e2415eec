package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) mailboxStatus() *cobra.Command {
	cmd := performs(&cobra.Command{
		Use: "status MAILBOX", Short: "Show what is known of a mailbox at run time", Args: exactly(1), Example: "  mailyard mailbox status info",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			var m operation.MailboxRow
			r, err := c.read(cmd.Context(), call{operation: "mailbox.facts", path: path}, &m)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				return c.table([][]string{
					{"Mailbox", m.ID + ", " + clean(m.Name)}, {"State", stateWord(m)}, {"Detail", oneLine(m.In.Detail, 300)}, {"Since", timeText(m.In.Since)},
					{"Last success", ageText(m.In.LastSuccess)}, {"Next attempt", timeText(m.In.NextAttempt)}, {"Served by", clean(m.In.Replica)},
					{"Sending", strings.TrimSuffix(string(m.Out.Status)+": "+oneLine(m.Out.Detail, 300), ": ")}, {"Waiting in the inbox", strconv.Itoa(m.Waiting)}, {"In flight", strconv.Itoa(m.InFlight)},
					{"Dead letters", strconv.Itoa(m.Parked)}, {"Accepted today", strconv.FormatInt(m.Today, 10)}, {"Invalid today", strconv.FormatInt(m.FailedToday, 10)},
				})
			})
		},
	}, "mailbox.facts")
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) mailboxStates() *cobra.Command {
	return performs(&cobra.Command{
		Use: "states", Short: "List the states that the replicas told last", Args: noArgs, Example: "  mailyard mailbox states --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			var out operation.States
			r, err := c.read(cmd.Context(), call{operation: "mailbox.states", path: path}, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printStates(out.States) })
		},
	}, "mailbox.states")
}

func (c *command) mailboxHistory() *cobra.Command {
	var in operation.ListHistory
	cmd := performs(&cobra.Command{
		Use: "history MAILBOX", Short: "List the states that a mailbox went through in 72 hours", Args: exactly(1), Example: "  mailyard mailbox history info --limit 20",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			var out operation.History
			r, err := c.read(cmd.Context(), call{operation: "mailbox.history", path: path, query: query(in)}, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printStates(out.States) })
		},
	}, "mailbox.history")
	cmd.Flags().IntVar(&in.Limit, "limit", 50, "at most this many, up to 500")
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) printStates(states []operation.MailboxState) error {
	if len(states) == 0 {
		return c.printf("No states are known.\n")
	}
	rows := [][]string{{"MAILBOX", "SINCE", "STATE", "WAITING", "IN FLIGHT", "PARKED", "REPLICA", "DETAIL"}}
	for _, s := range states {
		rows = append(rows, []string{s.Mailbox, timeText(&s.Since), string(s.Status), strconv.Itoa(s.Waiting), strconv.Itoa(s.InFlight), strconv.Itoa(s.Parked), clean(s.Replica), oneLine(s.Detail, 100)})
	}
	return c.table(rows)
}

func (c *command) mailboxProtocol() *cobra.Command {
	var minutes int
	var off bool
	cmd := performs(&cobra.Command{
		Use: "protocol MAILBOX", Short: "Show what is said with the mail server; switch that log on or off", Args: exactly(1),
		Long: `Shows what is said with the mail server, without passwords and mail. The log is
off unless it was switched on, at most for an hour.`,
		Example: "  mailyard mailbox protocol info --on 15\n  mailyard mailbox protocol info\n  mailyard mailbox protocol info --off",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			k := call{operation: "mailbox.protocol", path: path}
			if off || cmd.Flags().Changed("on") {
				k = call{operation: "mailbox.switch-protocol", path: path, body: operation.ProtocolSwitch{Minutes: minutes}}
			}
			var out operation.Protocol
			r, err := c.read(cmd.Context(), k, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				for _, l := range out.Lines {
					if err := c.printf("%s %s %s %s\n", l.At.Local().Format("15:04:05.000"), oneLine(l.Connection, 20), l.Direction, oneLine(l.Text, 2000)); err != nil {
						return err
					}
				}
				if out.Until == nil {
					return c.printf("The protocol log is off.\n")
				}
				return c.printf("The protocol log is on until %s.\n", timeText(out.Until))
			})
		},
	}, "mailbox.protocol", "mailbox.switch-protocol")
	cmd.Flags().IntVar(&minutes, "on", 0, "switch it on for so many minutes, up to 60")
	cmd.Flags().BoolVar(&off, "off", false, "switch it off")
	cmd.MarkFlagsMutuallyExclusive("on", "off")
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}
