package cli

import (
	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/pkg/secret"
)

func (c *command) key() *cobra.Command {
	key := group(&cobra.Command{Use: "key", Short: "Make the landlord's master key"})
	key.AddCommand(&cobra.Command{
		Use:   "generate FILE",
		Short: "Make a master key in a new file",
		Long: `Makes the landlord's master key, which wraps the Tenant Encryption Keys.
Keep a copy of the file in a safe place: without it no mailbox password can be
read. An existing file is never replaced.`,
		Example: "  mailyard key generate /etc/mailyard/master.key",
		Args:    exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			k, err := secret.GenerateMasterKey()
			if err != nil {
				return err
			}
			if err := k.Save(args[0]); err != nil {
				return err
			}
			return c.printDone(map[string]any{"file": args[0]}, "The master key is in %s. Keep a copy of it in a safe place.\n", args[0])
		},
	})
	return key
}
