package cli

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) tenants() *cobra.Command {
	tenant := group(&cobra.Command{Use: "tenant", Short: "Manage tenants, their parameters and encryption keys"})
	tenant.AddCommand(c.tenantList(), c.tenantShow(), c.tenantAdd(), c.tenantEdit(), c.tenantDelete(), c.tenantKey(), c.tenantSupplyKey(), c.tenantRotateKey())
	return tenant
}

func (c *command) tenantList() *cobra.Command {
	return performs(&cobra.Command{
		Use: "list", Short: "List the tenants that you may see", Args: noArgs, Example: "  mailyard tenant list\n  mailyard tenant list --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list operation.Tenants
			r, err := c.read(cmd.Context(), call{operation: "tenant.list"}, &list)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				if len(list.Tenants) == 0 {
					return c.printf("There are no tenants.\n")
				}
				rows := [][]string{{"ID", "NAME", "DATABASE", "KEY", "CHANGED"}}
				for _, t := range list.Tenants {
					rows = append(rows, []string{t.Document.ID, clean(t.Document.Name), t.Document.MessagingDatabase, keyText(t.Key), ageText(&t.UpdatedAt)})
				}
				return c.table(rows)
			})
		},
	}, "tenant.list")
}

func keyText(k *operation.TenantKey) string {
	switch {
	case k == nil:
		return "none"
	case k.Rotation != nil:
		return fmt.Sprintf("version %d, rotating (%d of %d)", k.Version, k.Rotation.Done, k.Rotation.Total)
	}
	return fmt.Sprintf("version %d", k.Version)
}

func (c *command) tenantShow() *cobra.Command {
	cmd := performs(&cobra.Command{
		Use: "show TENANT", Short: "Show a tenant and its parameters", Args: exactly(1), Example: "  mailyard tenant show acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			var t operation.Tenant
			r, err := c.read(cmd.Context(), call{operation: "tenant.get", path: map[string]string{"tenant": args[0]}}, &t)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printTenant(t) })
		},
	}, "tenant.get")
	cmd.ValidArgsFunction = complete(c.tenantIDs, false)
	return cmd
}

func (c *command) printTenant(t operation.Tenant) error {
	limit := func(n int) string {
		if n == 0 {
			return "no limit"
		}
		return strconv.Itoa(n)
	}
	return c.table([][]string{
		{"Tenant", t.Document.ID}, {"Name", clean(t.Document.Name)}, {"Messaging database", t.Document.MessagingDatabase},
		{"Mailboxes", limit(t.Document.Limits.Mailboxes)}, {"Mail per day", limit(t.Document.Limits.MailPerDay)},
		{"Tenant Encryption Key", keyText(t.Key)}, {"Revision", t.Revision}, {"Created", timeText(&t.CreatedAt)}, {"Changed", timeText(&t.UpdatedAt)},
	})
}

// tenantFlags are those of add and edit.
func tenantFlags(cmd *cobra.Command) *draft {
	d := newDraft(cmd)
	d.text(cmd, "name", "name", "name, for people")
	d.text(cmd, "messaging-database", "messaging_database", "name of the messaging database")
	return d
}

func (c *command) tenantAdd() *cobra.Command {
	var d *draft
	var generate bool
	cmd := performs(&cobra.Command{
		Use: "add TENANT", Short: "Make a tenant", Args: exactly(1),
		Example: "  mailyard tenant add acme --name Acme --generate-key\n  mailyard tenant add acme --name Acme --set limits.mailboxes=100",
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := d.changes(c, cmd)
			if err != nil {
				return err
			}
			path := map[string]string{"tenant": args[0]}
			r, err := c.ask(cmd.Context(), call{operation: "tenant.put", path: path, based: "new", body: changes})
			if err == nil && generate {
				r, err = c.ask(cmd.Context(), call{operation: "tenant.generate-key", path: path})
			}
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printf("Tenant %s is made.\n", args[0]) })
		},
	}, "tenant.put", "tenant.generate-key")
	d = tenantFlags(cmd)
	cmd.Flags().BoolVar(&generate, "generate-key", false, "generate its Tenant Encryption Key, too: without one no mailbox password can be kept")
	return cmd
}

func (c *command) tenantEdit() *cobra.Command {
	var d *draft
	var revision string
	cmd := performs(&cobra.Command{
		Use: "edit TENANT", Short: "Change the parameters of a tenant", Args: exactly(1), Example: "  mailyard tenant edit acme --set limits.mailboxes=200",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.runEdit(cmd, "tenant", map[string]string{"tenant": args[0]}, d, nil, revision)
		},
	}, "tenant.put", "tenant.get")
	d = tenantFlags(cmd)
	revisionFlag(cmd, &revision)
	cmd.ValidArgsFunction = complete(c.tenantIDs, false)
	return cmd
}

func revisionFlag(cmd *cobra.Command, revision *string) {
	cmd.Flags().StringVar(revision, "revision", "", "the revision that the change is based on (default: the one that is there)")
}

// runEdit changes a document by what the command line says.
func (c *command) runEdit(cmd *cobra.Command, kind string, path map[string]string, d *draft, more map[string]any, revision string) error {
	changes, err := d.changes(c, cmd)
	if err != nil {
		return err
	}
	merge(changes, more)
	if len(changes) == 0 {
		return usagef("say what to change: see `%s --help`", cmd.CommandPath())
	}
	r, err := c.edit(cmd.Context(), kind, path, changes, revision)
	if err != nil {
		return err
	}
	return c.show(r, func() error { return c.printf("%s %s is changed.\n", title(kind), path[kind]) })
}

func (c *command) tenantDelete() *cobra.Command {
	var yes, force bool
	cmd := performs(&cobra.Command{
		Use: "delete TENANT", Short: "Delete a tenant and destroy its key", Args: exactly(1), Example: "  mailyard tenant delete acme --force",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				if err := c.confirm("The tenant goes, its Tenant Encryption Key is destroyed, and every password with it. Its messaging database stays.", args[0]); err != nil {
					return err
				}
			}
			return c.do(cmd.Context(), call{operation: "tenant.delete", path: map[string]string{"tenant": args[0]}, query: query(operation.DeleteTenant{Force: force})})
		},
	}, "tenant.delete")
	cmd.Flags().BoolVar(&force, "force", false, "delete its mailboxes and folders, too")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.ValidArgsFunction = complete(c.tenantIDs, false)
	return cmd
}

// do performs an operation whose answer is a message.
func (c *command) do(ctx context.Context, k call) error {
	var done operation.Done
	r, err := c.read(ctx, k, &done)
	if err != nil {
		return err
	}
	return c.show(r, func() error { return c.printf("%s\n", oneLine(done.Message, 400)) })
}

func (c *command) tenantKey() *cobra.Command {
	cmd := performs(&cobra.Command{
		Use: "generate-key TENANT", Short: "Generate the Tenant Encryption Key", Args: exactly(1), Example: "  mailyard tenant generate-key acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := c.ask(cmd.Context(), call{operation: "tenant.generate-key", path: map[string]string{"tenant": args[0]}})
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printf("Tenant %s has a Tenant Encryption Key.\n", args[0]) })
		},
	}, "tenant.generate-key")
	cmd.ValidArgsFunction = complete(c.tenantIDs, false)
	return cmd
}

func (c *command) tenantSupplyKey() *cobra.Command {
	source := secretSource{variable: "MAILYARD_TENANT_KEY", what: "Key"}
	cmd := performs(&cobra.Command{
		Use: "supply-key TENANT", Short: "Give a tenant a Tenant Encryption Key of your own", Args: exactly(1),
		Long:    "Gives a tenant a Tenant Encryption Key of your own making: 32 bytes in base64.",
		Example: "  head -c 32 /dev/urandom | base64 | mailyard tenant supply-key acme --key-file -",
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := c.given(source, true)
			if err != nil {
				return err
			}
			r, err := c.ask(cmd.Context(), call{operation: "tenant.supply-key", path: map[string]string{"tenant": args[0]}, body: map[string]string{"key": key.Reveal()}})
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printf("Tenant %s has the key.\n", args[0]) })
		},
	}, "tenant.supply-key")
	source.flags(cmd)
	cmd.ValidArgsFunction = complete(c.tenantIDs, false)
	return cmd
}

func (c *command) tenantRotateKey() *cobra.Command {
	var wait bool
	cmd := performs(&cobra.Command{
		Use: "rotate-key TENANT", Short: "Replace the Tenant Encryption Key while mail flows", Args: exactly(1),
		Long: `Makes a new Tenant Encryption Key and encrypts every password anew while mail
flows. The old key is destroyed when nothing needs it any more. A rotation that
is interrupted goes on by itself.`,
		Example: "  mailyard tenant rotate-key acme --wait",
		RunE: func(cmd *cobra.Command, args []string) error {
			var t operation.Tenant
			path := map[string]string{"tenant": args[0]}
			r, err := c.read(cmd.Context(), call{operation: "tenant.rotate-key", path: path}, &t)
			if err != nil {
				return err
			}
			if wait {
				if r, err = c.awaitRotation(cmd.Context(), path, &t); err != nil {
					return err
				}
			}
			return c.show(r, func() error { return c.printf("The key of tenant %s: %s.\n", args[0], keyText(t.Key)) })
		},
	}, "tenant.rotate-key", "tenant.get")
	cmd.Flags().BoolVar(&wait, "wait", false, "wait until the rotation is done, and show how far it is")
	cmd.ValidArgsFunction = complete(c.tenantIDs, false)
	return cmd
}

func (c *command) awaitRotation(ctx context.Context, path map[string]string, t *operation.Tenant) (r reply, err error) {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	shown := -1
	for {
		*t = operation.Tenant{}
		if r, err = c.read(ctx, call{operation: "tenant.get", path: path}, t); err != nil || t.Key == nil || t.Key.Rotation == nil {
			return r, err
		}
		if n := t.Key.Rotation.Done; n != shown {
			shown = n
			if err := c.prompt("%d of %d passwords are encrypted with version %d\n", n, t.Key.Rotation.Total, t.Key.Rotation.To); err != nil {
				return r, err
			}
		}
		if len(t.Key.Rotation.Unreadable) > 0 && t.Key.Rotation.Done+len(t.Key.Rotation.Unreadable) >= t.Key.Rotation.Total {
			return r, fmt.Errorf("no key opens the passwords of %v: set them again, or delete the mailboxes; the old key stays until then", t.Key.Rotation.Unreadable)
		}
		select {
		case <-ctx.Done():
			return r, ctx.Err()
		case <-tick.C:
		}
	}
}
