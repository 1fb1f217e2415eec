package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) mail() *cobra.Command {
	mail := c.ofTenant(group(&cobra.Command{Use: "mail", Short: "List stored mail, show one, save its attachments"}))
	mail.AddCommand(c.mailList("list"), c.mailShow(), c.mailRaw(), c.mailAttachment(), c.throughput())
	return mail
}

// mails is a short name of `mail list`.
func (c *command) mails() *cobra.Command { return c.ofTenant(c.mailList("mails")) }

func (c *command) mailList(name string) *cobra.Command {
	var in operation.ListMails
	var verdict, reason, state string
	cmd := performs(&cobra.Command{
		Use: name, Short: "List stored mail, newest first", Args: noArgs,
		Example: `  mailyard mail list
  mailyard mail list --folder support --since 2026-01-31
  mailyard mail list --verdict invalid --reason oversize --json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			in.Verdict, in.Reason, in.State = schemas.Verdict(verdict), schemas.Reason(reason), mailstore.State(state)
			err := errors.Join(
				oneOf("--verdict", in.Verdict, schemas.Accepted, schemas.Invalid),
				oneOf("--reason", in.Reason, schemas.ReasonOversize, schemas.ReasonNoMatchingFolder, schemas.ReasonUnparsable, schemas.ReasonLoop),
				oneOf("--state", in.State, mailstore.Disposed, mailstore.Undisposed),
				within("--limit", in.Limit, 500),
			)
			if err != nil {
				return err
			}
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			var page operation.MailPage
			r, err := c.read(cmd.Context(), call{operation: "mail.list", path: path, query: query(in)}, &page)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printMails(page) })
		},
	}, "mail.list")
	f := cmd.Flags()
	f.StringVar(&in.Mailbox, "mailbox", "", "only from this mailbox")
	f.StringVar(&in.Folder, "folder", "", "only with an item in this folder")
	f.StringVar(&in.Text, "text", "", "only with these words")
	f.StringVar(&in.Address, "address", "", "only with this address, in any role")
	f.StringVar(&in.Subject, "subject", "", "only with this in the subject")
	f.StringVar(&in.MessageID, "message-id", "", "only with this Message-ID")
	f.StringVar(&verdict, "verdict", "", "accepted or invalid")
	f.StringVar(&reason, "reason", "", "reason of invalid mail: oversize, no-matching-folder, unparsable, loop")
	f.StringVar(&state, "state", "", "disposed or undisposed")
	f.StringVar(&in.Since, "since", "", "persisted at or after this day or time (2026-01-31, 2026-01-31T09:00:00Z)")
	f.StringVar(&in.Until, "until", "", "persisted before this day or time")
	f.IntVar(&in.Limit, "limit", 50, "at most this many, up to 500")
	f.StringVar(&in.Before, "before", "", "the next page, as the one before told")
	c.completeFlag(cmd, "mailbox", c.mailboxIDs)
	c.completeFlag(cmd, "folder", c.folderIDs)
	values(cmd, "verdict", "accepted", "invalid")
	values(cmd, "reason", "oversize", "no-matching-folder", "unparsable", "loop")
	values(cmd, "state", "disposed", "undisposed")
	return cmd
}

// within checks the value of a flag that counts.
func within(flag string, n, most int) error {
	if n < 1 || n > most {
		return usagef("%s: %d is not between 1 and %d", flag, n, most)
	}
	return nil
}

func (c *command) printMails(page operation.MailPage) error {
	if len(page.Mails) == 0 {
		return c.printf("No mail is stored that fits.\n")
	}
	rows := [][]string{{"ID", "PERSISTED", "MAILBOX", "FOLDERS", "FROM", "SUBJECT", "SIZE", "LANE", "STATE"}}
	for _, m := range page.Mails {
		rows = append(rows, []string{
			m.MailID, ageText(&m.PersistedAt), m.Tenant + "/" + m.Mailbox, outcomeText(m),
			oneLine(m.FromAddress, 28), oneLine(m.Subject, 40), bytesText(m.Size), string(m.Lane), stateText(m),
		})
	}
	if err := c.table(rows); err != nil {
		return err
	}
	if page.Next != "" {
		return c.printf("\nMore: --before %s\n", page.Next)
	}
	return nil
}

func outcomeText(m mailstore.Summary) string {
	if m.Verdict == schemas.Invalid {
		return "(" + string(m.Reason) + ")"
	}
	return strings.Join(m.Folders, ", ")
}

func stateText(m mailstore.Summary) string {
	if m.DisposedAt == nil {
		return "in the inbox"
	}
	if m.DisposedMethod == "delete" {
		return "deleted"
	}
	return "moved to " + oneLine(m.DisposedTo, 30)
}

func (c *command) mailShow() *cobra.Command {
	return performs(&cobra.Command{
		Use: "show ID", Short: "Show a mail: its way, why it is where it is, its text", Args: exactly(1),
		Example: "  mailyard mail show 2ap4ljqqsc5pvbqnxc7fjahcey",
		RunE: func(cmd *cobra.Command, args []string) error {
			var d operation.Mail
			r, err := c.ofMail(cmd.Context(), "mail.get", args[0], nil, &d)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.showMail(d.Detail) })
		},
	}, "mail.get")
}

// ofMail asks for something of a mail, whoever's it is.
func (c *command) ofMail(ctx context.Context, name, id string, more map[string]string, into any) (r reply, err error) {
	err = c.anywhere(ctx, func(tenant string) (err error) {
		path := map[string]string{"tenant": tenant, "mail": id}
		for k, v := range more {
			path[k] = v
		}
		if into == nil {
			r, err = c.ask(ctx, call{operation: name, path: path})
		} else {
			r, err = c.read(ctx, call{operation: name, path: path}, into)
		}
		return err
	})
	if isStatus(err, 404) {
		hint := fmt.Sprintf("no mail has the id %q; `mailyard mail list` lists them", oneLine(id, 60))
		if more != nil {
			hint = fmt.Sprintf("there is no such attachment; `mailyard mail show %s` numbers them, if there is such a mail", oneLine(id, 60))
		}
		return r, &codedError{exitNotFound, errors.New(hint)}
	}
	return r, err
}

func (c *command) mailRaw() *cobra.Command {
	return performs(&cobra.Command{
		Use: "raw ID", Short: "Print the mail as it came", Args: exactly(1),
		Example: "  mailyard mail raw 2ap4ljqqsc5pvbqnxc7fjahcey > mail.eml",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := c.ofMail(cmd.Context(), "mail.raw", args[0], nil, nil)
			if err != nil {
				return err
			}
			return writeAll(c.streams.Out, r.body)
		},
	}, "mail.raw")
}

func (c *command) mailAttachment() *cobra.Command {
	var output string
	cmd := performs(&cobra.Command{
		Use: "attachment ID NUMBER", Short: "Save an attachment; `mail show` numbers them", Args: exactly(2),
		Example: "  mailyard mail attachment 2ap4ljqqsc5pvbqnxc7fjahcey 1 --output invoice.pdf",
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 1 {
				return usagef("%q is not the number of an attachment: they count from 1", args[1])
			}
			r, err := c.ofMail(cmd.Context(), "mail.attachment", args[0], map[string]string{"position": strconv.Itoa(n)}, nil)
			if err != nil {
				return err
			}
			return c.saveAttachment(r, n, output)
		},
	}, "mail.attachment")
	cmd.Flags().StringVarP(&output, "output", "o", "", "file to save it in, - for standard output; the attachment's own name if not given")
	return cmd
}

func (c *command) saveAttachment(r reply, position int, output string) error {
	if output == "-" {
		return writeAll(c.streams.Out, r.body)
	}
	name := cmp.Or(output, r.file, "attachment-"+strconv.Itoa(position))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("saving the attachment: %w; give another name with --output", err)
	}
	if err := errors.Join(writeAll(f, r.body), f.Close()); err != nil {
		return fmt.Errorf("saving the attachment: %w", errors.Join(err, os.Remove(name)))
	}
	return c.printDone(map[string]any{"file": name, "size": len(r.body)}, "%s: %s\n", name, bytesText(int64(len(r.body))))
}

func (c *command) throughput() *cobra.Command {
	var in operation.GetThroughput
	cmd := performs(&cobra.Command{
		Use: "throughput", Short: "Show how much mail came, and how fast", Args: noArgs, Example: "  mailyard mail throughput --hours 6\n  mailyard mail throughput --mailbox info --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			var out operation.Throughput
			r, err := c.read(cmd.Context(), call{operation: "mail.throughput", path: path, query: query(in)}, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printThroughput(out) })
		},
	}, "mail.throughput")
	cmd.Flags().StringVar(&in.Mailbox, "mailbox", "", "only of this mailbox")
	cmd.Flags().IntVar(&in.Hours, "hours", 24, "how far back, up to 720 hours")
	c.completeFlag(cmd, "mailbox", c.mailboxIDs)
	return cmd
}

func (c *command) printThroughput(out operation.Throughput) error {
	rows := [][]string{{"FROM", "LIGHT", "LARGE", "INVALID", "SIZE", "P50", "P95"}}
	for _, p := range out.Points {
		if p.Light+p.Large+p.Invalid == 0 {
			continue
		}
		rows = append(rows, []string{
			p.At.Local().Format("01-02 15:04"), strconv.FormatInt(p.Light, 10), strconv.FormatInt(p.Large, 10), strconv.FormatInt(p.Invalid, 10), bytesText(p.Bytes),
			fmt.Sprintf("%d ms", p.LatencyP50.Milliseconds()), fmt.Sprintf("%d ms", p.LatencyP95.Milliseconds()),
		})
	}
	if len(rows) == 1 {
		return c.printf("No mail came since %s.\n", timeText(&out.Since))
	}
	if err := c.table(rows); err != nil {
		return err
	}
	return c.printf("\nEach line is %s; P50 and P95 are from the download to the commit. Lines without mail are left out.\n", out.Step)
}
