// Command mailyard is the whole of mailyard: it runs all services in one
// process (mailyard up) and is the command line of any installation.
package main

import (
	"context"
	"os"

	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/services/mailyard/cli"
)

func main() {
	process.Main("mailyard", func(ctx context.Context) error {
		return cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Program: os.Args[0]}, os.Environ())
	})
}
