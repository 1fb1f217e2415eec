package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// exactly wants the arguments that the use line of a command names.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < n:
			return usagef("an argument is missing: use `%s`", use(cmd))
		case len(args) > n:
			return usagef("%q is one argument too many: use `%s`", args[n], use(cmd))
		}
		return nil
	}
}

// noArgs wants none. A word behind a command that only holds others is taken for
// a command.
func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.HasSubCommands():
		return usagef("unknown command %q for %q; see `%s --help`", args[0], cmd.CommandPath(), cmd.CommandPath())
	}
	return usagef("%q is one argument too many: use `%s`", args[0], use(cmd))
}

// title begins a sentence with a word.
func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }

// use returns the use line of a command without its flags.
func use(cmd *cobra.Command) string {
	return strings.TrimSuffix(cmd.UseLine(), " [flags]")
}

// group makes a command that only holds others: alone it shows its help.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = noArgs
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
	return usagef("%s: %q is none of %s", flag, value, strings.Join(names, ", "))
}
