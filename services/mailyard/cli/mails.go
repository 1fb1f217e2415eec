package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/schemas"
)

func (c *command) mails() *cobra.Command {
	var q mailstore.Query
	var verdict, reason, state, since, until string
	cmd := &cobra.Command{
		Use:   "mails",
		Short: "List stored mail, newest first",
		Example: `  mailyard mails
  mailyard mails --folder support --since 2026-01-31
  mailyard mails --verdict invalid --reason oversize --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q.Verdict, q.Reason, q.State = schemas.Verdict(verdict), schemas.Reason(reason), mailstore.State(state)
			err := errors.Join(
				oneOf("--verdict", q.Verdict, schemas.Accepted, schemas.Invalid),
				oneOf("--reason", q.Reason, schemas.ReasonOversize, schemas.ReasonNoMatchingFolder, schemas.ReasonUnparsable, schemas.ReasonLoop),
				oneOf("--state", q.State, mailstore.Disposed, mailstore.Undisposed),
			)
			if err != nil {
				return err
			}
			if q.Since, err = parseTime("--since", since); err != nil {
				return err
			}
			if q.Until, err = parseTime("--until", until); err != nil {
				return err
			}
			return c.listMails(cmd.Context(), q)
		},
	}
	f := cmd.Flags()
	f.StringVar(&q.Tenant, "tenant", "", "only this tenant's")
	f.StringVar(&q.Mailbox, "mailbox", "", "only from this mailbox")
	f.StringVar(&q.Folder, "folder", "", "only with an item in this folder")
	f.StringVar(&q.Text, "text", "", "only with these words")
	f.StringVar(&q.Address, "address", "", "only with this address, in any role")
	f.StringVar(&q.Subject, "subject", "", "only with this in the subject")
	f.StringVar(&q.MessageID, "message-id", "", "only with this Message-ID")
	f.StringVar(&verdict, "verdict", "", "accepted or invalid")
	f.StringVar(&reason, "reason", "", "reason of invalid mail: oversize, no-matching-folder, unparsable, loop")
	f.StringVar(&state, "state", "", "disposed or undisposed")
	f.StringVar(&since, "since", "", "persisted at or after this day or time (2026-01-31, 2026-01-31T09:00:00Z)")
	f.StringVar(&until, "until", "", "persisted before this day or time")
	f.IntVar(&q.Limit, "limit", 50, "at most this many, up to 1000")
	f.Int64Var(&q.Before, "before", 0, "only those before this number: the next page")
	return cmd
}

func parseTime(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: %q is neither a day (2026-01-31) nor a time (2026-01-31T09:00:00Z)", flag, s)
}

func (c *command) listMails(ctx context.Context, q mailstore.Query) (err error) {
	if q.Limit < 1 || q.Limit > mailstore.MaxLimit {
		return fmt.Errorf("--limit: %d is not between 1 and %d", q.Limit, mailstore.MaxLimit)
	}
	all, err := c.stores(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	mails := []mailstore.Summary{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		found, err := all[name].Mails(ctx, q)
		if err != nil {
			return err
		}
		mails = append(mails, found...)
	}
	slices.SortStableFunc(mails, func(a, b mailstore.Summary) int { return b.PersistedAt.Compare(a.PersistedAt) })
	mails = mails[:min(len(mails), q.Limit)]
	if c.json {
		return c.printJSON(mails)
	}
	if len(mails) == 0 {
		return c.printf("No mail is stored that fits.\n")
	}
	rows := [][]string{{"ID", "PERSISTED", "MAILBOX", "FOLDERS", "FROM", "SUBJECT", "SIZE", "LANE", "STATE"}}
	for _, m := range mails {
		rows = append(rows, []string{
			m.MailID, m.PersistedAt.Local().Format("01-02 15:04:05"), m.Tenant + "/" + m.Mailbox, outcomeText(m),
			oneLine(m.FromAddress, 28), oneLine(m.Subject, 40), bytesText(m.Size), string(m.Lane), stateText(m),
		})
	}
	if err := c.table(rows); err != nil {
		return err
	}
	if len(mails) == q.Limit && len(all) == 1 {
		return c.printf("\nMore: --before %d\n", mails[len(mails)-1].Seq)
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

func (c *command) mail() *cobra.Command {
	mail := group(&cobra.Command{Use: "mail", Short: "Show one mail"})
	show := &cobra.Command{
		Use:     "show ID",
		Short:   "Show a mail: its way, why it is where it is, its text",
		Example: "  mailyard mail show 2ap4ljqqsc5pvbqnxc7fjahcey",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withMail(cmd.Context(), args[0], func(store mailstore.Store, tenant string) error {
				d, err := store.Mail(cmd.Context(), tenant, args[0])
				if err != nil {
					return err
				}
				if c.json {
					return c.printJSON(d)
				}
				return c.showMail(d)
			})
		},
	}
	raw := &cobra.Command{
		Use:     "raw ID",
		Short:   "Print the mail as it came",
		Example: "  mailyard mail raw 2ap4ljqqsc5pvbqnxc7fjahcey > mail.eml",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withMail(cmd.Context(), args[0], func(store mailstore.Store, tenant string) error {
				b, err := store.Raw(cmd.Context(), tenant, args[0])
				if err != nil {
					return err
				}
				return writeAll(c.streams.Out, b)
			})
		},
	}
	var output string
	attachment := &cobra.Command{
		Use:     "attachment ID NUMBER",
		Short:   "Save an attachment; `mail show` numbers them",
		Example: "  mailyard mail attachment 2ap4ljqqsc5pvbqnxc7fjahcey 1 --output invoice.pdf",
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[1])
			if err != nil || n < 1 {
				return fmt.Errorf("%q is not the number of an attachment: they count from 1", args[1])
			}
			return c.withMail(cmd.Context(), args[0], func(store mailstore.Store, tenant string) error {
				a, err := store.Attachment(cmd.Context(), tenant, args[0], n)
				if errors.Is(err, mailstore.ErrNotFound) {
					return fmt.Errorf("the mail has no attachment %d; `mailyard mail show %s` numbers them", n, args[0])
				}
				if err != nil {
					return err
				}
				return c.saveAttachment(a, output)
			})
		},
	}
	attachment.Flags().StringVarP(&output, "output", "o", "", "file to save it in, - for standard output; the attachment's own name if not given")
	mail.AddCommand(show, raw, attachment)
	return mail
}

func (c *command) saveAttachment(a mailstore.Attachment, output string) error {
	if output == "-" {
		return writeAll(c.streams.Out, a.Content)
	}
	name := cmp.Or(output, a.Filename, "attachment-"+strconv.Itoa(a.Position))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("saving the attachment: %w; give another name with --output", err)
	}
	if err := errors.Join(writeAll(f, a.Content), f.Close()); err != nil {
		return fmt.Errorf("saving the attachment: %w", errors.Join(err, os.Remove(name)))
	}
	return c.printDone(map[string]any{"file": name, "size": a.Size}, "%s: %s\n", name, bytesText(a.Size))
}

// withMail finds the database and the tenant that hold a mail.
func (c *command) withMail(ctx context.Context, id string, use func(mailstore.Store, string) error) (err error) {
	all, err := c.stores(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	store, tenant, err := find(ctx, all, id)
	if err != nil {
		return err
	}
	return use(store, tenant)
}

func find(ctx context.Context, all stores.Stores, id string) (mailstore.Store, string, error) {
	for _, store := range all {
		d, err := store.Mail(ctx, "", id)
		if err == nil {
			return store, d.Tenant, nil
		}
		if !errors.Is(err, mailstore.ErrNotFound) {
			return nil, "", err
		}
	}
	return nil, "", fmt.Errorf("no mail has the id %q; `mailyard mails` lists them", id)
}
