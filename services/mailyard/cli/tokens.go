package cli

import (
	"cmp"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) sessions() *cobra.Command {
	session := group(&cobra.Command{Use: "session", Short: "Show who is signed in, and end sessions"})
	list := performs(&cobra.Command{
		Use: "list ACCOUNT", Short: "List the sessions of an account", Args: exactly(1), Example: "  mailyard session list ann",
		RunE: func(cmd *cobra.Command, args []string) error {
			var out operation.Sessions
			r, err := c.read(cmd.Context(), call{operation: "session.list", path: map[string]string{"account": args[0]}}, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				if len(out.Sessions) == 0 {
					return c.printf("Nobody is signed in with this account.\n")
				}
				rows := [][]string{{"ID", "FROM", "SIGNED IN", "SEEN", "ENDS"}}
				for _, s := range out.Sessions {
					rows = append(rows, []string{s.ID, clean(s.From), ageText(&s.CreatedAt), ageText(&s.SeenAt), timeText(&s.ExpiresAt)})
				}
				return c.table(rows)
			})
		},
	}, "session.list")
	list.ValidArgsFunction = complete(c.accountNames, false)
	session.AddCommand(list, performs(&cobra.Command{
		Use: "revoke SESSION", Short: "End a session", Args: exactly(1), Example: "  mailyard session revoke abcdefghijklmnop",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.do(cmd.Context(), call{operation: "session.revoke", path: map[string]string{"session": args[0]}})
		},
	}, "session.revoke"))
	return session
}

func (c *command) tokens() *cobra.Command {
	token := group(&cobra.Command{Use: "token", Short: "Manage API tokens, which programs sign in with"})
	list := performs(&cobra.Command{
		Use: "list ACCOUNT", Short: "List the API tokens of an account", Args: exactly(1), Example: "  mailyard token list ann",
		RunE: func(cmd *cobra.Command, args []string) error {
			var out operation.Tokens
			r, err := c.read(cmd.Context(), call{operation: "token.list", path: map[string]string{"account": args[0]}}, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				if len(out.Tokens) == 0 {
					return c.printf("The account has no API tokens.\n")
				}
				rows := [][]string{{"ID", "NAME", "ROLE", "TENANT", "ENDS", "USED", "FROM", "STATE"}}
				for _, t := range out.Tokens {
					rows = append(rows, []string{t.ID, t.Name, string(t.Role), cmp.Or(t.Tenant, "all"), timeText(&t.Expires), ageText(t.UsedAt), clean(t.UsedFrom), tokenState(t)})
				}
				return c.table(rows)
			})
		},
	}, "token.list")
	list.ValidArgsFunction = complete(c.accountNames, false)
	token.AddCommand(list, c.tokenCreate(), performs(&cobra.Command{
		Use: "revoke TOKEN", Short: "Revoke an API token, by its id", Args: exactly(1), Example: "  mailyard token revoke abcdefghijklmnop",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.do(cmd.Context(), call{operation: "token.revoke", path: map[string]string{"token": args[0]}})
		},
	}, "token.revoke"))
	return token
}

// tokenState says why an API token does not work; empty: it does.
func tokenState(t operation.Token) string {
	switch {
	case !t.Expires.After(time.Now()):
		return "expired"
	case t.Resting:
		return "owner must sign in again"
	}
	return ""
}

func (c *command) tokenCreate() *cobra.Command {
	var n operation.NewToken
	cmd := performs(&cobra.Command{
		Use: "create NAME", Short: "Make an API token of your own account; it is shown once", Args: exactly(1),
		Long: `Makes an API token of the account that is signed in. An API token makes no other
one, so this is done in the console unless the service lets an account in here.`,
		Example: "  mailyard token create backup --role reader --days 90",
		RunE: func(cmd *cobra.Command, args []string) error {
			n.Name = args[0]
			var out operation.CreatedToken
			r, err := c.read(cmd.Context(), call{operation: "token.create", body: n}, &out)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				return c.printf("%s\n", out.Text)
			})
		},
	}, "token.create")
	f := cmd.Flags()
	f.StringVar((*string)(&n.Role), "role", "reader", "landlord, tenant-admin or reader; not above that of the account")
	f.StringVar(&n.Tenant, "tenant", "", "tenant that it is for")
	f.IntVar(&n.Days, "days", 90, "after how many days it ends, up to 365")
	values(cmd, "role", "landlord", "tenant-admin", "reader")
	c.completeFlag(cmd, "tenant", c.tenantIDs)
	return cmd
}
