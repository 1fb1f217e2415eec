package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) mailboxAdd() *cobra.Command {
	var d *mailboxDraft
	cmd := performs(&cobra.Command{
		Use: "add MAILBOX", Short: "Make a mailbox", Args: exactly(1),
		Long: `Makes a mailbox. It is not worked on until it is enabled; examine it before with
doctor and dry-run. Settings without a flag are given with --set, all of them are
in schemas/config/mailbox.json.`,
		Example: `  mailyard mailbox add info --name Info --folder support --imap imap.acme.example --username info@acme.example --ask-password
  MAILYARD_PASSWORD=… mailyard mailbox add info -f info.yaml --enabled
  mailyard mailbox add info -f info.yaml --set max_email_bytes="20 MB" --set imap.port=143`,
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := d.changes(c, cmd)
			if err != nil {
				return err
			}
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			var m operation.Mailbox
			r, err := c.read(cmd.Context(), call{operation: "mailbox.put", path: path, based: "new", body: changes}, &m)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printSaved(m, "made") })
		},
	}, "mailbox.put")
	d = c.mailboxFlags(cmd)
	return cmd
}

// printSaved says that a mailbox was saved, and what it lacks.
func (c *command) printSaved(m operation.Mailbox, done string) error {
	state := "disabled"
	if m.Document.Enabled {
		state = "enabled"
	}
	if err := c.printf("Mailbox %s is %s; it is %s.\n", m.Document.ID, done, state); err != nil {
		return err
	}
	for _, p := range m.Missing {
		if err := c.printf("It lacks: %s\n", oneLine(p.String(), 300)); err != nil {
			return err
		}
	}
	return nil
}

func (c *command) mailboxEdit() *cobra.Command {
	var d *mailboxDraft
	var revision string
	cmd := performs(&cobra.Command{
		Use: "edit MAILBOX", Short: "Change settings of a mailbox", Args: exactly(1),
		Long: `Changes settings of a mailbox; what is not named stays. If somebody else changed
it meanwhile, nothing is changed, and what they did is shown.`,
		Example: `  mailyard mailbox edit info --imap imap.acme.example:993
  mailyard mailbox edit info --set persisted_method=delete --set connect_retries=5
  mailyard mailbox edit info -f changes.yaml --revision 4zq2hq6pcmfuv5dq6mlwo3xz7e`,
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := d.changes(c, cmd)
			if err != nil {
				return err
			}
			if len(changes) == 0 {
				return usagef("say what to change: see `%s --help`", cmd.CommandPath())
			}
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			r, err := c.edit(cmd.Context(), "mailbox", path, changes, revision)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printf("Mailbox %s is changed.\n", args[0]) })
		},
	}, "mailbox.put", "mailbox.get", "audit.list")
	d = c.mailboxFlags(cmd)
	revisionFlag(cmd, &revision)
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) mailboxPassword() *cobra.Command {
	source := passwordSource()
	cmd := performs(&cobra.Command{
		Use: "password MAILBOX", Short: "Set the password of a mailbox", Args: exactly(1),
		Long:    "Sets the password that the mailbox is opened with. It is asked for, unless a file or MAILYARD_PASSWORD has it.",
		Example: "  mailyard mailbox password info\n  mailyard mailbox password info --password-file /run/secrets/info",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			password, err := c.given(source, true)
			if err != nil {
				return err
			}
			r, err := c.ask(cmd.Context(), call{operation: "mailbox.set-password", path: path, body: map[string]string{"password": password.Reveal()}})
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printf("Mailbox %s has a new password.\n", args[0]) })
		},
	}, "mailbox.set-password")
	source.flags(cmd)
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) mailboxEnable() *cobra.Command {
	return c.mailboxSwitch("enable", "Let the pipeline work on mailboxes", "enabled")
}

func (c *command) mailboxDisable() *cobra.Command {
	return c.mailboxSwitch("disable", "Take mailboxes out of the pipeline; mail in flight waits", "disabled")
}

func (c *command) mailboxSwitch(verb, short, done string) *cobra.Command {
	cmd := performs(&cobra.Command{
		Use: verb + " MAILBOX", Short: short, Args: exactly(1), Example: "  mailyard mailbox " + verb + " info",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			r, err := c.ask(cmd.Context(), call{operation: "mailbox." + verb, path: path})
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printf("Mailbox %s is %s.\n", args[0], done) })
		},
	}, "mailbox."+verb)
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) mailboxDelete() *cobra.Command {
	var yes bool
	cmd := performs(&cobra.Command{
		Use: "delete MAILBOX", Short: "Delete a mailbox; mail in flight ends well, stored mail stays", Args: exactly(1),
		Example: "  mailyard mailbox delete info\n  mailyard mailbox delete info --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			var plan operation.DeletionPlan
			if _, err := c.read(cmd.Context(), call{operation: "mailbox.deletion", path: path}, &plan); err != nil {
				return err
			}
			if !yes {
				what := fmt.Sprintf("Mailbox %s (%s): %d mails wait in the inbox and stay there; %d are in flight and end well; %d dead letters; %d mails are stored and stay.",
					args[0], clean(plan.Name), plan.Waiting, plan.InFlight, plan.Parked, plan.Stored)
				if err := c.confirm(what, args[0]); err != nil {
					return err
				}
			}
			return c.do(cmd.Context(), call{operation: "mailbox.delete", path: path})
		},
	}, "mailbox.delete", "mailbox.deletion")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) mailboxBulk() *cobra.Command {
	var f operation.MailboxFilter
	var yes, dryRun bool
	cmd := performs(&cobra.Command{
		Use: "bulk ACTION [MAILBOX…]", Short: "Enable, disable, test or delete many mailboxes",
		Long: `Enables, disables, tests or deletes the mailboxes that are named or, if none is,
those that the flags select. What cannot be done with one does not hold up the others.`,
		Example: "  mailyard mailbox bulk disable info sales\n  mailyard mailbox bulk enable --search acme --dry-run\n  mailyard mailbox bulk delete --enabled=false",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("an argument is missing: use `%s`", use(cmd))
			}
			return oneOf("the action", args[0], "enable", "disable", "test", "delete")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			b := operation.Bulk{Action: operation.BulkAction(args[0]), IDs: args[1:], DryRun: true}
			if len(args) == 1 {
				b.Filter = &f
			}
			var plan operation.BulkResult
			r, err := c.read(cmd.Context(), call{operation: "mailbox.bulk", path: path, body: b}, &plan)
			if err != nil {
				return err
			}
			if dryRun {
				return c.show(r, func() error { return c.printBulk(plan) })
			}
			if b.Count, b.DryRun = len(plan.Results), false; b.Count == 0 {
				return &codedError{exitNotFound, fmt.Errorf("there are no mailboxes that fit")}
			}
			if !yes && (b.Action == operation.BulkDelete || b.Filter != nil) {
				if err := c.confirm(bulkText(plan), strconv.Itoa(b.Count)); err != nil {
					return err
				}
			}
			var out operation.BulkResult
			if r, err = c.read(cmd.Context(), call{operation: "mailbox.bulk", path: path, body: b}, &out); err != nil {
				return err
			}
			if err := c.show(r, func() error { return c.printBulk(out) }); err != nil {
				return err
			}
			if out.Failed > 0 {
				return fmt.Errorf("%d of %d failed", out.Failed, len(out.Results))
			}
			return nil
		},
	}, "mailbox.bulk")
	c.filterFlags(cmd, &f)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only say which mailboxes these are")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return []string{"enable", "disable", "test", "delete"}, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(c.mailboxIDs, true)(cmd, args, typed)
	}
	return cmd
}

// bulkText names what an action is about.
func bulkText(plan operation.BulkResult) string {
	const shown = 10
	var names []string
	for _, o := range plan.Results[:min(len(plan.Results), shown)] {
		names = append(names, o.ID)
	}
	if n := len(plan.Results) - shown; n > 0 {
		names = append(names, fmt.Sprintf("and %d more", n))
	}
	return fmt.Sprintf("%s %d mailboxes: %s.", title(string(plan.Action)), len(plan.Results), strings.Join(names, ", "))
}

func (c *command) printBulk(b operation.BulkResult) error {
	rows := [][]string{{"ID", "NAME", "OUTCOME"}}
	for _, o := range b.Results {
		outcome := "would be done"
		switch {
		case o.OK:
			outcome = "done"
		case o.Problem != nil:
			outcome = oneLine(o.Problem.Error(), 200)
		}
		rows = append(rows, []string{o.ID, clean(o.Name), outcome})
	}
	return c.table(rows)
}
