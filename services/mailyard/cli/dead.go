package cli

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) dead() *cobra.Command {
	dead := c.ofTenant(group(&cobra.Command{
		Use:   "dead",
		Short: "List and replay dead letters: mail that a stage gave up",
		Long: `A dead letter is a mail that a stage gave up after its last attempt. The mail
itself is still in the inbox, and is left alone there until it is replayed.`,
	}))
	dead.AddCommand(c.deadList(), c.deadShow(),
		c.deadAction("replay", "Try it again, from the stage that gave it up"),
		c.deadAction("drop", "Forget it; its mail stays in the inbox and is left alone"))
	return dead
}

func (c *command) deadList() *cobra.Command {
	var in operation.ListDeadLetters
	var stage string
	cmd := performs(&cobra.Command{
		Use: "list", Short: "List dead letters, newest first", Args: noArgs, Example: "  mailyard dead list\n  mailyard dead list --mailbox info --stage persister",
		RunE: func(cmd *cobra.Command, _ []string) error {
			in.Stage = schemas.Stage(stage)
			err := errors.Join(
				oneOf("--stage", in.Stage, schemas.StageFetcher, schemas.StageClassifier, schemas.StagePersister, schemas.StageDisposer),
				within("--limit", in.Limit, 100),
			)
			if err != nil {
				return err
			}
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			var page operation.DeadLetters
			r, err := c.read(cmd.Context(), call{operation: "dead.list", path: path, query: query(in)}, &page)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printDead(page) })
		},
	}, "dead.list")
	cmd.Flags().StringVar(&in.Mailbox, "mailbox", "", "only from this mailbox")
	cmd.Flags().StringVar(&stage, "stage", "", "only from this stage: fetcher, classifier, persister, disposer")
	cmd.Flags().StringVar(&in.Before, "before", "", "the next page, as the one before told")
	cmd.Flags().IntVar(&in.Limit, "limit", 50, "at most this many, up to 100")
	c.completeFlag(cmd, "mailbox", c.mailboxIDs)
	values(cmd, "stage", "fetcher", "classifier", "persister", "disposer")
	return cmd
}

func (c *command) printDead(page operation.DeadLetters) error {
	if len(page.Letters) == 0 {
		return c.printf("There are no dead letters.\n")
	}
	rows := [][]string{{"ID", "SINCE", "MAILBOX", "STAGE", "UIDS", "ATTEMPTS", "ERROR"}}
	for _, d := range page.Letters {
		rows = append(rows, []string{
			d.ID, ageText(&d.At), d.Tenant + "/" + d.Mailbox,
			string(d.Stage), oneLine(d.UIDs, 20), strconv.Itoa(d.Attempts), oneLine(d.Error, 90),
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

// noDead says that there is no such dead letter.
func noDead(id string, err error) error {
	if isStatus(err, 404) {
		return &codedError{exitNotFound, fmt.Errorf("there is no dead letter %s; `mailyard dead list` shows them", oneLine(id, 60))}
	}
	return err
}

func (c *command) deadShow() *cobra.Command {
	return performs(&cobra.Command{
		Use: "show ID", Short: "Show a dead letter", Args: exactly(1), Example: "  mailyard dead show w2n4qfxk7sgd3pzyb5lmhcvtae",
		RunE: func(cmd *cobra.Command, args []string) error {
			var d operation.DeadLetter
			var r reply
			err := c.anywhere(cmd.Context(), func(tenant string) (err error) {
				r, err = c.read(cmd.Context(), call{operation: "dead.get", path: map[string]string{"tenant": tenant, "letter": args[0]}}, &d)
				return err
			})
			if err != nil {
				return noDead(args[0], err)
			}
			return c.show(r, func() error { return c.showDead(d) })
		},
	}, "dead.get")
}

func (c *command) deadAction(verb, short string) *cobra.Command {
	return performs(&cobra.Command{
		Use: verb + " ID", Short: short, Args: exactly(1), Example: "  mailyard dead " + verb + " w2n4qfxk7sgd3pzyb5lmhcvtae",
		RunE: func(cmd *cobra.Command, args []string) error {
			return noDead(args[0], c.anywhere(cmd.Context(), func(tenant string) error {
				return c.do(cmd.Context(), call{operation: "dead." + verb, path: map[string]string{"tenant": tenant, "letter": args[0]}})
			}))
		},
	}, "dead."+verb)
}

func (c *command) showDead(d operation.DeadLetter) error {
	return c.printf("Dead letter    %s, %s\nMailbox        %s/%s, UIDVALIDITY %d, UID %s\nStage          %s, after %d attempts\nError          %s\nReplay goes to %s\n",
		d.ID, timeText(&d.At), d.Tenant, d.Mailbox, d.UIDValidity, oneLine(d.UIDs, 200), d.Stage, d.Attempts, oneLine(d.Error, 1000), d.OriginalSubject)
}
