package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) mailboxDryRun() *cobra.Command {
	var d *mailboxDraft
	cmd := performs(&cobra.Command{
		Use: "dry-run [MAILBOX]", Short: "Say where the newest 50 mails would go; nothing is touched",
		Example: "  mailyard mailbox dry-run info\n  mailyard mailbox dry-run info --import-since new",
		Args:    atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := c.drafted(cmd, "doctor.dry-run", d, args)
			if err != nil {
				return err
			}
			var out doctor.DryRun
			r, err := c.read(cmd.Context(), k, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printDryRun(out) })
		},
	}, "doctor.dry-run")
	d = c.mailboxFlags(cmd)
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) printDryRun(out doctor.DryRun) error {
	if err := c.printf("%d mails are in the inbox; %d would be imported, %d left alone.\n", out.Total, out.WouldImport, out.LeftAlone); err != nil {
		return err
	}
	if len(out.Mails) == 0 {
		return nil
	}
	rows := [][]string{{"UID", "DATE", "FROM", "SUBJECT", "SIZE", "LANE", "WHY", "THEN"}}
	for _, m := range out.Mails {
		rows = append(rows, []string{
			strconv.FormatUint(uint64(m.UID), 10), timeText(&m.Date), oneLine(m.From, 28), oneLine(m.Subject, 40), bytesText(m.Size), string(m.Lane), oneLine(m.Reason, 60), oneLine(m.Server, 50),
		})
	}
	if err := c.table(rows); err != nil {
		return err
	}
	for _, s := range out.Summary {
		if err := c.printf("%s\n", oneLine(s.Text, 200)); err != nil {
			return err
		}
	}
	return nil
}

func (c *command) mailboxServerFolders() *cobra.Command {
	var d *mailboxDraft
	cmd := performs(&cobra.Command{
		Use: "server-folders [MAILBOX]", Short: "List the folders on the mail server", Example: "  mailyard mailbox server-folders info", Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := c.drafted(cmd, "doctor.folders", d, args)
			if err != nil {
				return err
			}
			var out operation.ServerFolders
			r, err := c.read(cmd.Context(), k, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				for _, name := range out.Folders {
					if err := c.printf("%s\n", oneLine(name, 300)); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}, "doctor.folders")
	d = c.mailboxFlags(cmd)
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) mailboxRecognise() *cobra.Command {
	return performs(&cobra.Command{
		Use: "recognise ADDRESS", Short: "Find the mail servers of an address", Args: exactly(1), Example: "  mailyard mailbox recognise info@gmail.com",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			var out operation.Recognised
			r, err := c.read(cmd.Context(), call{operation: "doctor.recognise", path: path, query: query(operation.RecogniseProvider{Address: args[0]})}, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				if err := c.printf("%s\n", oneLine(out.Message, 400)); err != nil || out.Settings == nil {
					return err
				}
				s := out.Settings
				return c.printf("IMAP      %s, port %d\nSMTP      %s, port %d\nUsername  %s\n%s\n", clean(s.IMAP.Host), s.IMAP.Port, clean(s.SMTP.Host), s.SMTP.Port, clean(s.Username), oneLine(s.Note, 400))
			})
		},
	}, "doctor.recognise")
}
