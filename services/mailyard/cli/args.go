package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// exactly wants the arguments that the use line of a command names.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return fmt.Errorf("an argument is missing: use `%s`", use(cmd))
		case len(args) > n:
			return fmt.Errorf("%q is one argument too many: use `%s`", args[n], use(cmd))
		}
		return nil
	}
}

// use returns the use line of a command without its flags.
func use(cmd *cobra.Command) string {
	return strings.TrimSuffix(cmd.UseLine(), " [flags]")
}

// group makes a command that only holds others: alone it shows its help.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return cmd
}

// oneOf checks the value of a flag with a closed list of values; empty is none.
func oneOf[S ~string](flag string, value S, allowed ...S) error {
	if value == "" || slices.Contains(allowed, value) {
		return nil
	}
	names := make([]string, len(allowed))
	for i, a := range allowed {
		names[i] = string(a)
	}
	return fmt.Errorf("%s: %q is none of %s", flag, value, strings.Join(names, ", "))
}
