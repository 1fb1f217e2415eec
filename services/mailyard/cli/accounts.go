package cli

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) accounts() *cobra.Command {
	account := group(&cobra.Command{Use: "account", Short: "Manage who may sign in"})
	account.AddCommand(c.accountSelf(), c.accountList(), c.accountShow(), c.accountAdd(), c.accountEdit(), c.accountDelete(), c.accountInvite())
	return account
}

func (c *command) accountSelf() *cobra.Command {
	return performs(&cobra.Command{
		Use: "self", Short: "Show who you are and what you may do", Args: noArgs, Example: "  mailyard account self",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s operation.Self
			r, err := c.read(cmd.Context(), call{operation: "account.self"}, &s)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				return c.table([][]string{{"Name", clean(s.Name)}, {"Role", string(s.Role)}, {"Tenant", cmp.Or(s.Tenant, "all")}})
			})
		},
	}, "account.self")
}

func (c *command) accountList() *cobra.Command {
	return performs(&cobra.Command{
		Use: "list", Short: "List accounts", Args: noArgs, Example: "  mailyard account list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var list operation.Accounts
			r, err := c.read(cmd.Context(), call{operation: "account.list"}, &list)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				if len(list.Accounts) == 0 {
					return c.printf("There are no accounts.\n")
				}
				rows := [][]string{{"NAME", "PERSON", "ROLE", "TENANT", "STATE", "SIGNED IN"}}
				for _, a := range list.Accounts {
					rows = append(rows, []string{clean(a.Name), clean(a.DisplayName), string(a.Role), cmp.Or(a.Tenant, "all"), accountState(a), ageText(a.SignedInAt)})
				}
				return c.table(rows)
			})
		},
	}, "account.list")
}

func accountState(a operation.Account) string {
	switch {
	case a.Disabled:
		return "disabled"
	case a.External:
		return "signs in elsewhere"
	case !a.HasPassword:
		return "has no password"
	}
	return "enabled"
}

func (c *command) accountShow() *cobra.Command {
	cmd := performs(&cobra.Command{
		Use: "show NAME", Short: "Show an account", Args: exactly(1), Example: "  mailyard account show ann",
		RunE: func(cmd *cobra.Command, args []string) error {
			var a operation.Account
			r, err := c.read(cmd.Context(), call{operation: "account.get", path: map[string]string{"account": args[0]}}, &a)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				return c.table([][]string{
					{"Name", clean(a.Name)}, {"Person", clean(a.DisplayName)}, {"Role", string(a.Role)}, {"Tenant", cmp.Or(a.Tenant, "all")}, {"State", accountState(a)},
					{"Signed in", ageText(a.SignedInAt)}, {"Created", timeText(&a.CreatedAt)},
				})
			})
		},
	}, "account.get")
	cmd.ValidArgsFunction = complete(c.accountNames, false)
	return cmd
}

// accountFlags are those of add and edit.
func (c *command) accountFlags(cmd *cobra.Command, s *operation.AccountSettings) {
	f := cmd.Flags()
	f.StringVar(&s.DisplayName, "display-name", "", "name of the person")
	f.StringVar((*string)(&s.Role), "role", "", "landlord, tenant-admin or reader")
	f.StringVar(&s.Tenant, "tenant", "", "tenant of a tenant-admin, and of a reader of one tenant")
	f.BoolVar(&s.Disabled, "disabled", false, "neither its sessions nor its API tokens work")
	values(cmd, "role", "landlord", "tenant-admin", "reader")
	c.completeFlag(cmd, "tenant", c.tenantIDs)
}

func (c *command) accountAdd() *cobra.Command {
	var s operation.AccountSettings
	cmd := performs(&cobra.Command{
		Use: "add NAME", Short: "Make an account, and the one-time link that sets its password", Args: exactly(1),
		Example: "  mailyard account add ann --role tenant-admin --tenant acme",
		RunE: func(cmd *cobra.Command, args []string) error {
			path := map[string]string{"account": args[0]}
			if _, err := c.ask(cmd.Context(), call{operation: "account.put", path: path, based: "new", body: s}); err != nil {
				return err
			}
			return c.invite(cmd, path)
		},
	}, "account.put", "account.invite")
	c.accountFlags(cmd, &s)
	return cmd
}

// invite prints a one-time link.
func (c *command) invite(cmd *cobra.Command, path map[string]string) error {
	var i operation.Invitation
	r, err := c.read(cmd.Context(), call{operation: "account.invite", path: path}, &i)
	if err != nil {
		return err
	}
	base, _, err := c.remote()
	if err != nil {
		return err
	}
	return c.show(r, func() error {
		return c.printf("Account %s sets its password here, once, until %s:\n%s%s\n", clean(i.Account), timeText(&i.ExpiresAt), base, i.Path)
	})
}

func (c *command) accountInvite() *cobra.Command {
	cmd := performs(&cobra.Command{
		Use: "invite NAME", Short: "Make a one-time link to set a password: for a new account, or a forgotten password", Args: exactly(1), Example: "  mailyard account invite ann",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.invite(cmd, map[string]string{"account": args[0]})
		},
	}, "account.invite")
	cmd.ValidArgsFunction = complete(c.accountNames, false)
	return cmd
}

func (c *command) accountEdit() *cobra.Command {
	var s operation.AccountSettings
	cmd := performs(&cobra.Command{
		Use: "edit NAME", Short: "Change an account, disable it, or enable it again", Args: exactly(1),
		Example: "  mailyard account edit ann --role reader\n  mailyard account edit ann --disabled",
		RunE: func(cmd *cobra.Command, args []string) error {
			path := map[string]string{"account": args[0]}
			var old operation.Account
			r, err := c.read(cmd.Context(), call{operation: "account.get", path: path}, &old)
			if err != nil {
				return err
			}
			new := operation.AccountSettings{DisplayName: old.DisplayName, Role: old.Role, Tenant: old.Tenant, Disabled: old.Disabled}
			changed := cmd.Flags().Changed
			if changed("display-name") {
				new.DisplayName = s.DisplayName
			}
			if changed("role") {
				new.Role = s.Role
			}
			if changed("tenant") {
				new.Tenant = s.Tenant
			}
			if changed("disabled") {
				new.Disabled = s.Disabled
			}
			if r, err = c.ask(cmd.Context(), call{operation: "account.put", path: path, based: r.revision, body: new}); err != nil {
				return err
			}
			return c.show(r, func() error { return c.printf("Account %s is changed.\n", clean(args[0])) })
		},
	}, "account.put", "account.get")
	c.accountFlags(cmd, &s)
	cmd.ValidArgsFunction = complete(c.accountNames, false)
	return cmd
}

func (c *command) accountDelete() *cobra.Command {
	var yes bool
	cmd := performs(&cobra.Command{
		Use: "delete NAME", Short: "Delete an account with its sessions and API tokens", Args: exactly(1), Example: "  mailyard account delete ann",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				if err := c.confirm("The account goes, with its sessions and API tokens.", args[0]); err != nil {
					return err
				}
			}
			return c.do(cmd.Context(), call{operation: "account.delete", path: map[string]string{"account": args[0]}})
		},
	}, "account.delete")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.ValidArgsFunction = complete(c.accountNames, false)
	return cmd
}
