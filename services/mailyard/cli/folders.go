package cli

import (
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) folders() *cobra.Command {
	folder := c.ofTenant(group(&cobra.Command{Use: "folder", Short: "Manage folders, which mail comes to by recipient address"}))
	folder.AddCommand(c.folderList(), c.folderShow(), c.folderAdd(), c.folderEdit(), c.folderDelete())
	return folder
}

func (c *command) folderList() *cobra.Command {
	var in operation.ListFolders
	cmd := performs(&cobra.Command{
		Use: "list", Short: "List folders", Args: noArgs, Example: "  mailyard folder list\n  mailyard folder list --search support",
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := c.path(cmd.Context())
			if err != nil {
				return err
			}
			var list operation.Folders
			r, err := c.read(cmd.Context(), call{operation: "folder.list", path: path, query: query(in)}, &list)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				if len(list.Folders) == 0 {
					return c.printf("There are no folders that fit.\n")
				}
				rows := [][]string{{"ID", "NAME", "ADDRESS", "MORE", "MAILBOXES"}}
				for _, f := range list.Folders {
					rows = append(rows, []string{f.Document.ID, clean(f.Document.Name), clean(f.Document.Address), strconv.Itoa(len(f.Document.Aliases)), strconv.Itoa(len(f.Mailboxes))})
				}
				return c.table(rows)
			})
		},
	}, "folder.list")
	cmd.Flags().StringVar(&in.Search, "search", "", "only with this in id, name or an address")
	return cmd
}

func (c *command) folderShow() *cobra.Command {
	cmd := performs(&cobra.Command{
		Use: "show FOLDER", Short: "Show a folder", Args: exactly(1), Example: "  mailyard folder show support",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "folder", args[0])
			if err != nil {
				return err
			}
			var f operation.Folder
			r, err := c.read(cmd.Context(), call{operation: "folder.get", path: path}, &f)
			if err != nil {
				return err
			}
			return c.show(r, func() error {
				return c.table([][]string{
					{"Folder", f.Document.ID}, {"Name", clean(f.Document.Name)}, {"Address", clean(f.Document.Address)}, {"More addresses", oneLine(strings.Join(f.Document.Aliases, ", "), 300)},
					{"Description", clean(f.Document.Description)}, {"Mailboxes", oneLine(strings.Join(f.Mailboxes, ", "), 300)},
					{"Revision", f.Revision}, {"Changed", timeText(&f.UpdatedAt)},
				})
			})
		},
	}, "folder.get")
	cmd.ValidArgsFunction = complete(c.folderIDs, false)
	return cmd
}

// folderFlags are those of add and edit.
func folderFlags(cmd *cobra.Command) (*draft, *[]string) {
	d := newDraft(cmd)
	d.text(cmd, "name", "name", "name, for people")
	d.text(cmd, "address", "address", "address whose mail comes to it")
	d.text(cmd, "description", "description", "for people")
	return d, cmd.Flags().StringSlice("alias", nil, "another address; may be given again")
}

func aliases(cmd *cobra.Command, list []string) map[string]any {
	if !cmd.Flags().Changed("alias") {
		return nil
	}
	return map[string]any{"aliases": list}
}

func (c *command) folderAdd() *cobra.Command {
	var d *draft
	var more *[]string
	cmd := performs(&cobra.Command{
		Use: "add FOLDER", Short: "Make a folder", Args: exactly(1),
		Example: "  mailyard folder add support --name Support --address support@acme.example\n  mailyard folder add sales --name Sales --address sales@acme.example --alias offers@acme.example",
		RunE: func(cmd *cobra.Command, args []string) error {
			changes, err := d.changes(c, cmd)
			if err != nil {
				return err
			}
			merge(changes, aliases(cmd, *more))
			path, err := c.path(cmd.Context(), "folder", args[0])
			if err != nil {
				return err
			}
			r, err := c.ask(cmd.Context(), call{operation: "folder.put", path: path, based: "new", body: changes})
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printf("Folder %s is made.\n", args[0]) })
		},
	}, "folder.put")
	d, more = folderFlags(cmd)
	return cmd
}

func (c *command) folderEdit() *cobra.Command {
	var d *draft
	var more *[]string
	var revision string
	cmd := performs(&cobra.Command{
		Use: "edit FOLDER", Short: "Change a folder", Args: exactly(1), Example: "  mailyard folder edit support --name \"Customer support\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "folder", args[0])
			if err != nil {
				return err
			}
			return c.runEdit(cmd, "folder", path, d, aliases(cmd, *more), revision)
		},
	}, "folder.put", "folder.get")
	d, more = folderFlags(cmd)
	revisionFlag(cmd, &revision)
	cmd.ValidArgsFunction = complete(c.folderIDs, false)
	return cmd
}

func (c *command) folderDelete() *cobra.Command {
	var yes, force bool
	cmd := performs(&cobra.Command{
		Use: "delete FOLDER", Short: "Delete a folder; its mail stays in the messaging database", Args: exactly(1), Example: "  mailyard folder delete support",
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := c.path(cmd.Context(), "folder", args[0])
			if err != nil {
				return err
			}
			if !yes {
				if err := c.confirm("The folder goes. What is stored in it stays in the messaging database.", args[0]); err != nil {
					return err
				}
			}
			return c.do(cmd.Context(), call{operation: "folder.delete", path: path, query: query(operation.DeleteFolder{Force: force})})
		},
	}, "folder.delete")
	cmd.Flags().BoolVar(&force, "force", false, "take it from the mailboxes that use it; one that is left without a folder is disabled")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.ValidArgsFunction = complete(c.folderIDs, false)
	return cmd
}
