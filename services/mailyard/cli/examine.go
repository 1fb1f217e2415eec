package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// errExamined ends an examination in which a step failed.
var errExamined = errors.New("a step failed; what to do stands there")

func (c *command) mailboxTest() *cobra.Command {
	cmd := performs(&cobra.Command{
		Use: "test MAILBOX", Short: "Examine the servers of a saved mailbox, step by step", Args: exactly(1), Example: "  mailyard mailbox test info",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			return c.examine(cmd.Context(), call{operation: "mailbox.test", path: path})
		},
	}, "mailbox.test")
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) mailboxDoctor() *cobra.Command {
	var d *mailboxDraft
	cmd := performs(&cobra.Command{
		Use: "doctor [MAILBOX]", Short: "Examine the servers of settings that need not be saved, step by step",
		Long: `Examines the mail servers step by step: resolve, connect, TLS, sign-in, rights,
and a mail that is sent and arrives. Takes the settings of a saved mailbox, of
the flags, or of both; nothing is saved. What it makes on the server it removes.`,
		Example: `  mailyard mailbox doctor info
  mailyard mailbox doctor info --imap imap.acme.example:143
  mailyard mailbox doctor --imap imap.acme.example --username info@acme.example --ask-password`,
		Args: atMostOne,
		RunE: func(cmd *cobra.Command, args []string) error {
			k, err := c.drafted(cmd, "doctor.run", d, args)
			if err != nil {
				return err
			}
			return c.examine(cmd.Context(), k)
		},
	}, "doctor.run")
	d = c.mailboxFlags(cmd)
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

// atMostOne wants one argument or none.
func atMostOne(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usagef("%q is one argument too many: use `%s`", args[1], use(cmd))
	}
	return nil
}

// drafted is a call with a draft: the saved mailbox, if one is named, with what
// the command line changes.
func (c *command) drafted(cmd *cobra.Command, name string, d *mailboxDraft, args []string) (call, error) {
	changes, err := d.changes(c, cmd)
	if err != nil {
		return call{}, err
	}
	path, err := c.path(cmd.Context())
	if err != nil {
		return call{}, err
	}
	body := map[string]any{"document": changes}
	if len(args) > 0 {
		path["mailbox"] = args[0]
		var saved kept
		if _, err := c.read(cmd.Context(), call{operation: "mailbox.get", path: path}, &saved); err != nil {
			return call{}, err
		}
		merge(saved.Document, changes)
		body = map[string]any{"id": args[0], "document": saved.Document}
	} else if changes["name"] == nil {
		changes["name"] = "draft"
	}
	return call{operation: name, path: path, body: body}, nil
}

// examine prints the steps as they come.
func (c *command) examine(ctx context.Context, k call) error {
	if c.json {
		var report doctor.Report
		r, err := c.read(ctx, k, &report)
		if err != nil {
			return err
		}
		if err := c.show(r, nil); err != nil {
			return err
		}
		return failed(report)
	}
	k.lines = true
	answered, err := c.send(ctx, k)
	if err != nil {
		return err
	}
	defer answered.Body.Close()
	if err := refused(answered); err != nil {
		return err
	}
	lines := bufio.NewReader(answered.Body)
	for {
		raw, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return &codedError{exitAway, errors.New("the examination broke off")}
		}
		if err != nil {
			return &codedError{exitAway, fmt.Errorf("reading the answer of mailyard: %w", err)}
		}
		var line struct {
			Step    *doctor.Step
			Report  *doctor.Report
			Problem *operation.Problem
		}
		if err := json.Unmarshal(raw, &line); err != nil {
			return fmt.Errorf("reading the answer of mailyard: %w", err)
		}
		switch {
		case line.Step != nil:
			err = c.printStep(*line.Step)
		case line.Problem != nil:
			return &codedError{codeOf(line.Problem.Status), line.Problem}
		case line.Report != nil:
			return failed(*line.Report)
		}
		if err != nil {
			return err
		}
	}
}

func failed(r doctor.Report) error {
	if r.Outcome == doctor.Failed {
		return errExamined
	}
	return nil
}

// printStep prints a step that ended.
func (c *command) printStep(s doctor.Step) error {
	marks := map[doctor.Outcome]string{doctor.OK: "✓", doctor.Warning: "!", doctor.Failed: "✗", doctor.Skipped: "-"}
	mark, ended := marks[s.Outcome]
	if !ended {
		return nil
	}
	if err := c.printf("%s %-36s %6d ms  %s\n", mark, oneLine(s.Title, 36), s.Took/time.Millisecond, oneLine(s.Answer, 300)); err != nil {
		return err
	}
	for _, f := range s.Facts {
		if err := c.printf("    %s: %s\n", oneLine(f.Name, 60), oneLine(f.Value, 300)); err != nil {
			return err
		}
	}
	if s.Remedy == "" {
		return nil
	}
	return c.printf("    What to do: %s\n", oneLine(s.Remedy, 600))
}

func (c *command) mailboxCheck() *cobra.Command {
	var d *mailboxDraft
	cmd := performs(&cobra.Command{
		Use: "check MAILBOX", Short: "Say what is wrong with settings, without saving them", Args: exactly(1), Example: "  mailyard mailbox check info -f info.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := d.changes(c, cmd)
			if err != nil {
				return err
			}
			path, err := c.path(cmd.Context(), "mailbox", args[0])
			if err != nil {
				return err
			}
			var saved kept
			_, err = c.read(cmd.Context(), call{operation: "mailbox.get", path: path}, &saved)
			if err == nil {
				merge(saved.Document, changes)
				changes = saved.Document
			} else if !isStatus(err, 404) {
				return err
			}
			var out operation.MailboxCheck
			r, err := c.read(cmd.Context(), call{operation: "mailbox.check", path: path, body: changes}, &out)
			if err != nil {
				return err
			}
			if err := c.show(r, func() error { return c.printCheck(out) }); err != nil {
				return err
			}
			if len(out.Problems) > 0 {
				return errors.New("it cannot be saved so")
			}
			return nil
		},
	}, "mailbox.check")
	d = c.mailboxFlags(cmd)
	cmd.ValidArgsFunction = complete(c.mailboxIDs, false)
	return cmd
}

func (c *command) printCheck(out operation.MailboxCheck) error {
	for _, p := range out.Problems {
		if err := c.printf("wrong: %s\n", oneLine(p.String(), 300)); err != nil {
			return err
		}
	}
	for _, p := range out.Missing {
		if err := c.printf("to be enabled it lacks: %s\n", oneLine(p.String(), 300)); err != nil {
			return err
		}
	}
	if len(out.Problems)+len(out.Missing) == 0 {
		return c.printf("All is well.\n")
	}
	return nil
}
