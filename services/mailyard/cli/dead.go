package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/schemas"
)

func (c *command) dead() *cobra.Command {
	dead := group(&cobra.Command{
		Use:   "dead",
		Short: "List and replay dead letters: mail that a stage gave up",
		Long: `A dead letter is a mail that a stage gave up after its last attempt. The mail
itself is still in the inbox, and is left alone there until it is replayed.`,
	})
	var q bus.DeadQuery
	var stage string
	list := &cobra.Command{
		Use:     "list",
		Short:   "List dead letters, newest first",
		Example: "  mailyard dead list --mailbox info",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q.Stage = schemas.Stage(stage)
			if err := oneOf("--stage", q.Stage, schemas.StageFetcher, schemas.StageClassifier, schemas.StagePersister, schemas.StageDisposer); err != nil {
				return err
			}
			if q.Limit < 1 || q.Limit > bus.MaxDeadLetters {
				return fmt.Errorf("--limit: %d is not between 1 and %d", q.Limit, bus.MaxDeadLetters)
			}
			return c.withBus(cmd.Context(), func(conn *bus.Conn) error { return c.listDead(cmd.Context(), conn, q) })
		},
	}
	list.Flags().StringVar(&q.Tenant, "tenant", "", "only this tenant's")
	list.Flags().StringVar(&q.Mailbox, "mailbox", "", "only from this mailbox")
	list.Flags().StringVar(&stage, "stage", "", "only from this stage: fetcher, classifier, persister, disposer")
	list.Flags().IntVar(&q.Limit, "limit", 50, "at most this many, up to 500")
	dead.AddCommand(list,
		c.deadAction("show NUMBER", "Show a dead letter", func(ctx context.Context, conn *bus.Conn, n uint64) error {
			d, err := conn.DeadLetter(ctx, n)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(d)
			}
			return c.showDead(d)
		}),
		c.deadAction("replay NUMBER", "Try it again, from the stage that gave it up", func(ctx context.Context, conn *bus.Conn, n uint64) error {
			if err := conn.Replay(ctx, n); err != nil {
				return err
			}
			return c.printDone(map[string]any{"replayed": n}, "Dead letter %d is tried again.\n", n)
		}),
		c.deadAction("drop NUMBER", "Forget it; its mail stays in the inbox and is left alone", func(ctx context.Context, conn *bus.Conn, n uint64) error {
			if err := conn.DropDead(ctx, n); err != nil {
				return err
			}
			return c.printDone(map[string]any{"dropped": n}, "Dead letter %d is forgotten. Its mail stays in the inbox.\n", n)
		}),
	)
	return dead
}

func (c *command) deadAction(use, short string, act func(context.Context, *bus.Conn, uint64) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: short, Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil || n == 0 {
				return fmt.Errorf("%q is not the number of a dead letter; `mailyard dead list` shows them", args[0])
			}
			return c.withBus(cmd.Context(), func(conn *bus.Conn) error {
				err := act(cmd.Context(), conn, n)
				if errors.Is(err, bus.ErrNotFound) {
					return fmt.Errorf("there is no dead letter %d; `mailyard dead list` shows them", n)
				}
				return err
			})
		},
	}
}

func (c *command) listDead(ctx context.Context, conn *bus.Conn, q bus.DeadQuery) error {
	letters, err := conn.DeadLetters(ctx, q)
	if err != nil {
		return err
	}
	if c.json {
		if letters == nil {
			letters = []bus.DeadLetter{}
		}
		return c.printJSON(letters)
	}
	if len(letters) == 0 {
		return c.printf("There are no dead letters.\n")
	}
	rows := [][]string{{"NUMBER", "SINCE", "MAILBOX", "STAGE", "UIDS", "ATTEMPTS", "ERROR"}}
	for _, d := range letters {
		rows = append(rows, []string{
			strconv.FormatUint(d.Sequence, 10), d.At.Local().Format("01-02 15:04:05"), d.Tenant + "/" + d.Mailbox,
			string(d.Stage), oneLine(d.UIDs, 20), strconv.Itoa(d.Attempts), oneLine(d.Error, 90),
		})
	}
	return c.table(rows)
}

func (c *command) showDead(d bus.DeadLetter) error {
	return c.printf("Dead letter    %d, %s\nMailbox        %s/%s, UIDVALIDITY %d, UID %s\nStage          %s, after %d attempts\nError          %s\nReplay goes to %s\n",
		d.Sequence, timeText(&d.At), d.Tenant, d.Mailbox, d.UIDValidity, oneLine(d.UIDs, 200), d.Stage, d.Attempts, oneLine(d.Error, 1000), d.OriginalSubject)
}

// errNotRunning explains why a command that asks the running services cannot.
var errNotRunning = errors.New("mailyard does not run here: start it with `mailyard up`, or name the folder of the one that runs with --data")

// withBus connects to the NATS of the installation.
func (c *command) withBus(ctx context.Context, use func(*bus.Conn) error) (err error) {
	o, err := c.busOptions()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	conn, err := bus.Connect(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	return use(conn)
}

func (c *command) busOptions() (bus.Options, error) {
	s, err := c.settings()
	if err != nil {
		return bus.Options{}, err
	}
	o := bus.Options{URL: s.NATS.URL, User: s.NATS.User, Password: s.NATS.Password.Reveal(), Name: "cli", Logger: zap.NewNop()}
	if !isEmbedded(s.NATS.URL) {
		return o, nil
	}
	e, running, err := c.home().Endpoints()
	if err != nil {
		return bus.Options{}, err
	}
	if !running || e.NATSURL == "" {
		return bus.Options{}, errNotRunning
	}
	o.URL, o.User, o.Password = e.NATSURL, e.NATSUser, e.NATSPassword
	return o, nil
}
