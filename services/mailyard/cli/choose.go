package cli

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// performs notes which operations a command asks for: a test wants a command
// for every operation.
func performs(cmd *cobra.Command, operations ...string) *cobra.Command {
	cmd.Annotations = map[string]string{"operations": strings.Join(operations, " ")}
	return cmd
}

// ofTenant adds the flag that says whose.
func (c *command) ofTenant(cmd *cobra.Command) *cobra.Command {
	cmd.PersistentFlags().StringVar(&c.tenant, "tenant", c.variable("MAILYARD_TENANT", ""), "id of the tenant (default: the only one that you may see)")
	c.completeFlag(cmd, "tenant", c.tenantIDs)
	return cmd
}

// chosen returns the tenant that a command is about.
func (c *command) chosen(ctx context.Context) (string, error) {
	if c.tenant != "" {
		return c.tenant, nil
	}
	ids, err := c.tenantIDs(ctx)
	switch {
	case err != nil:
		return "", err
	case len(ids) == 0:
		return "", &codedError{exitNotFound, errNoTenant}
	case len(ids) > 1:
		const shown = 10
		list := strings.Join(ids[:min(len(ids), shown)], ", ")
		if len(ids) > shown {
			list += ", …"
		}
		return "", usagef("there are several tenants; name one with --tenant or MAILYARD_TENANT: %s", list)
	}
	return ids[0], nil
}

// path returns the parameters of a path in the chosen tenant: names and values
// by turns.
func (c *command) path(ctx context.Context, more ...string) (map[string]string, error) {
	tenant, err := c.chosen(ctx)
	if err != nil {
		return nil, err
	}
	p := map[string]string{"tenant": tenant}
	for i := 0; i < len(more); i += 2 {
		p[more[i]] = more[i+1]
	}
	return p, nil
}

// anywhere asks in the chosen tenant or, without one, in all that one may see:
// ids of mails and dead letters say nothing about the tenant.
func (c *command) anywhere(ctx context.Context, ask func(tenant string) error) error {
	ids := []string{c.tenant}
	if c.tenant == "" {
		var err error
		if ids, err = c.tenantIDs(ctx); err != nil {
			return err
		}
	}
	err := error(&codedError{exitNotFound, errNoTenant})
	for _, id := range ids {
		if err = ask(id); !isStatus(err, http.StatusNotFound) {
			return err
		}
	}
	return err
}

func (c *command) tenantIDs(ctx context.Context) ([]string, error) {
	var list operation.Tenants
	if _, err := c.read(ctx, call{operation: "tenant.list"}, &list); err != nil {
		return nil, err
	}
	ids := make([]string, len(list.Tenants))
	for i, t := range list.Tenants {
		ids[i] = t.Document.ID
	}
	return ids, nil
}

func (c *command) folderIDs(ctx context.Context) ([]string, error) {
	p, err := c.path(ctx)
	if err != nil {
		return nil, err
	}
	var list operation.Folders
	if _, err := c.read(ctx, call{operation: "folder.list", path: p}, &list); err != nil {
		return nil, err
	}
	ids := make([]string, len(list.Folders))
	for i, f := range list.Folders {
		ids[i] = f.Document.ID
	}
	return ids, nil
}

func (c *command) mailboxIDs(ctx context.Context) ([]string, error) {
	p, err := c.path(ctx)
	if err != nil {
		return nil, err
	}
	var page operation.MailboxPage
	if _, err := c.read(ctx, call{operation: "mailbox.list", path: p, query: query(operation.ListMailboxes{Limit: 500})}, &page); err != nil {
		return nil, err
	}
	ids := make([]string, len(page.Mailboxes))
	for i, m := range page.Mailboxes {
		ids[i] = m.ID
	}
	return ids, nil
}

func (c *command) accountNames(ctx context.Context) ([]string, error) {
	var list operation.Accounts
	if _, err := c.read(ctx, call{operation: "account.list"}, &list); err != nil {
		return nil, err
	}
	names := make([]string, len(list.Accounts))
	for i, a := range list.Accounts {
		names[i] = a.Name
	}
	return names, nil
}

// completing is how long the shell waits for the ids that it offers.
const completing = 3 * time.Second

type lister func(context.Context) ([]string, error)

// complete makes a shell offer ids for the first argument, or for all.
func complete(ids lister, all bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 && !all {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completing)
		defer cancel()
		list, err := ids(ctx)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var fit []string
		for _, id := range list {
			if strings.HasPrefix(id, typed) {
				fit = append(fit, id)
			}
		}
		return fit, cobra.ShellCompDirectiveNoFileComp
	}
}

func (c *command) completeFlag(cmd *cobra.Command, flag string, ids lister) {
	_ = cmd.RegisterFlagCompletionFunc(flag, complete(ids, true)) // the flag is there
}

// values makes a shell offer the values of a flag.
func values(cmd *cobra.Command, flag string, list ...string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)) // likewise
}
