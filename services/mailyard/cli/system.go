package cli

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/services/admin/operation"
)

func (c *command) system() *cobra.Command {
	return performs(&cobra.Command{
		Use: "system", Short: "Show which services run and what waits between them", Args: noArgs, Example: "  mailyard system\n  mailyard system --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s operation.System
			r, err := c.read(cmd.Context(), call{operation: "system.get"}, &s)
			if err != nil {
				return err
			}
			return c.show(r, func() error { return c.printSystem(s) })
		},
	}, "system.get")
}

func (c *command) printSystem(s operation.System) error {
	rows := [][]string{{"SERVICE", "VERSION", "REPLICA", "RUNS SINCE"}}
	for _, x := range s.Services {
		rows = append(rows, []string{x.Name, clean(x.Version), clean(x.Replica), ageText(&x.Started)})
	}
	if err := c.table(rows); err != nil {
		return err
	}
	if err := c.printf("\n"); err != nil {
		return err
	}
	if err := c.printBacklogs(s.Backlogs); err != nil {
		return err
	}
	if err := c.printf("\n%s\n", deadText(int(s.Dead))); err != nil {
		return err
	}
	return c.printAway(s.Away)
}

func (c *command) printBacklogs(list []bus.Backlog) error {
	slices.SortFunc(list, func(a, b bus.Backlog) int { return cmp.Compare(a.Stream, b.Stream) })
	rows := [][]string{{"STREAM", "MESSAGES", "SIZE", "OLDEST"}}
	for _, b := range list {
		rows = append(rows, []string{b.Stream, strconv.FormatUint(b.Messages, 10), bytesText(int64(b.Bytes)), ageText(b.Oldest)})
	}
	return c.table(rows)
}
