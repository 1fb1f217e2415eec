package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

// actor is who the command line acts for: whoever can open the control
// database and the master key is the landlord.
func actor() control.Actor {
	name := "cli"
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return control.Actor{Name: name, Role: control.RoleLandlord, From: "cli"}
}

func (c *command) apply() *cobra.Command {
	var files []string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Make tenants, folders and mailboxes as documents describe them",
		Long: `Makes tenants, folders and mailboxes as YAML documents describe them, all of
them or, if there is any problem, none. What is so already is left alone;
documents that are not named stay. Running services follow within a second.

Passwords are best given as a reference:  password: {env: NAME}  or
password: {file: PATH}. A tenant's encryption key is made with
encryption_key: generate.`,
		Example: "  IMAP_PASSWORD=… mailyard apply -f mailbox.yaml\n  mailyard apply -f tenant.yaml -f mailboxes.yaml --dry-run",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(files) == 0 {
				return errors.New("name the documents' file with -f, or -f - for standard input")
			}
			return c.runApply(cmd.Context(), files, dryRun)
		},
	}
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "file with documents, - for standard input; may be given again")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "only print what would change")
	return cmd
}

func (c *command) runApply(ctx context.Context, files []string, dryRun bool) (err error) {
	docs, err := c.readDocuments(files)
	if err != nil {
		return nothingApplied(err)
	}
	store, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	plan, err := store.Apply(ctx, actor(), docs, dryRun)
	if err != nil {
		return nothingApplied(err)
	}
	return c.showPlan(plan, dryRun)
}

// nothingApplied stands before a list of problems, one a line.
func nothingApplied(err error) error { return fmt.Errorf("nothing was applied:\n%w", err) }

// readDocuments reads all files; the problems of all of them are told at once.
func (c *command) readDocuments(files []string) ([]config.Document, error) {
	var docs []config.Document
	var errs []error
	for _, name := range files {
		found, err := c.readFile(name)
		docs, errs = append(docs, found...), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, errors.New("there is no document to apply")
	}
	lookup := func(name string) (string, bool) {
		value := c.variable(name, "")
		return value, value != ""
	}
	if err := config.ResolvePasswords(docs, lookup, os.ReadFile); err != nil {
		return nil, err
	}
	return docs, nil
}

func (c *command) readFile(name string) ([]config.Document, error) {
	if name == "-" {
		return config.ParseDocuments(named{c.streams.In, "standard input"})
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading documents: %w", err)
	}
	defer f.Close()
	return config.ParseDocuments(f)
}

// named gives a reader the name that problems are told with.
type named struct {
	io.Reader
	name string
}

func (n named) Name() string { return n.name }

func (c *command) showPlan(plan control.Plan, dryRun bool) error {
	if c.json {
		return c.printJSON(map[string]any{"dry_run": dryRun, "changes": plan.Changes})
	}
	verbs := map[control.Action]string{control.ActionCreate: "created", control.ActionUpdate: "updated", control.ActionUnchanged: "unchanged"}
	if dryRun {
		verbs = map[control.Action]string{control.ActionCreate: "would be created", control.ActionUpdate: "would be updated", control.ActionUnchanged: "is so already"}
	}
	for _, ch := range plan.Changes {
		name := ch.Tenant
		if ch.ID != ch.Tenant || ch.Kind != "tenant" {
			name += "/" + ch.ID
		}
		fields := ""
		if len(ch.Fields) > 0 {
			fields = ": " + strings.Join(ch.Fields, ", ")
		}
		if err := c.printf("%-8s %-32s %s%s\n", ch.Kind, name, verbs[ch.Action], fields); err != nil {
			return err
		}
	}
	if plan.Empty() {
		return c.printf("Nothing changes.\n")
	}
	return nil
}

func (c *command) export() *cobra.Command {
	var tenant string
	cmd := &cobra.Command{
		Use:     "export",
		Short:   "Write tenants, folders and mailboxes as documents for apply",
		Long:    "Writes the documents as `mailyard apply` reads them. Secrets are never written; applying what was exported keeps those that are stored.",
		Example: "  mailyard export > everything.yaml\n  mailyard export --tenant acme > acme.yaml",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			store, err := c.control(cmd.Context())
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			docs, err := store.Export(cmd.Context(), actor(), tenant)
			if err != nil {
				return err
			}
			if c.json {
				return c.exportJSON(docs)
			}
			return config.WriteDocuments(c.streams.Out, docs)
		},
	}
	cmd.Flags().StringVar(&tenant, "tenant", "", "only this tenant's")
	return cmd
}
