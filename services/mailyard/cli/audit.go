package cli

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) audit() *cobra.Command {
	audit := group(&cobra.Command{Use: "audit", Short: "Show who did what, when and from where"})
	var in operation.ListAudit
	var kind string
	var details bool
	cmd := performs(&cobra.Command{
		Use: "list", Short: "List changes and sign-ins, newest first", Args: noArgs,
		Example: "  mailyard audit list --limit 20\n  mailyard audit list --tenant acme --kind mailbox --id info --details",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := within("--limit", in.Limit, 500); err != nil {
				return err
			}
			in.Kind = schemas.Kind(kind)
			var page operation.AuditPage
			r, err := c.read(cmd.Context(), call{operation: "audit.list", query: query(in)}, &page)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printAudit(page, details) })
		},
	}, "audit.list")
	f := cmd.Flags()
	f.StringVar(&in.Tenant, "tenant", c.variable("MAILYARD_TENANT", ""), "only this tenant's")
	f.StringVar(&kind, "kind", "", "only of this kind: tenant, folder, mailbox, account, session, token, dead-letter")
	f.StringVar(&in.ID, "id", "", "only of the document with this id")
	f.StringVar(&in.Actor, "actor", "", "only what this one did")
	f.StringVar(&in.Before, "before", "", "the next page, as the one before told")
	f.IntVar(&in.Limit, "limit", 50, "at most this many, up to 500")
	f.BoolVar(&details, "details", false, "show what was changed, before and after")
	c.completeFlag(cmd, "tenant", c.tenantIDs)
	values(cmd, "kind", "tenant", "folder", "mailbox", "account", "session", "token", "dead-letter")
	audit.AddCommand(cmd)
	return audit
}

func (c *command) printAudit(page operation.AuditPage, details bool) error {
	if len(page.Entries) == 0 {
		return c.printf("There is nothing that fits.\n")
	}
	rows := [][]string{{"WHEN", "WHO", "FROM", "WHAT", "TENANT", "ID", "CHANGE", "KEYS"}}
	for _, e := range page.Entries {
		rows = append(rows, []string{
			ageText(&e.At), clean(e.Actor), clean(e.From), string(e.Kind), clean(e.Tenant), clean(e.Document), clean(e.Change), strconv.Itoa(len(e.Fields)),
		})
		if !details {
			continue
		}
		for _, f := range e.Fields {
			rows = append(rows, []string{"", "", "", "", "", "", "", oneLine(f.Path, 60) + ": " + valueText(f.Before) + " → " + valueText(f.After)})
		}
	}
	if err := c.table(rows); err != nil {
		return err
	}
	if page.Next != "" {
		return c.printf("\nMore: --before %s\n", page.Next)
	}
	return nil
}
