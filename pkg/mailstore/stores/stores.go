package stores

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/pgstore"
	"github.com/mailyard/mailyard/pkg/mailstore/sqlitestore"
	"github.com/mailyard/mailyard/pkg/secret"
)

// Stores are messaging databases by the name that tenants refer to.
type Stores map[string]mailstore.Store

// firstWait is how long Open waits for a database before it goes on without.
const firstWait = 15 * time.Second

// Open opens every database, each by itself, and migrates it forward. One that
// is away is opened when it is back: until then its calls are
// fault.Unavailable, and the others are not kept waiting for it. What waiting
// does not mend, such as a schema that is newer than this program or a login
// that is refused, is an error, and none is open then. Close them.
func Open(ctx context.Context, urls map[string]secret.String, logger *zap.Logger) (Stores, error) {
	if len(urls) == 0 {
		return nil, errors.New("no messaging database is set: add messaging.default, such as postgres://…, to the settings")
	}
	openers := make(map[string]opener, len(urls))
	for name, url := range urls {
		openers[name] = func(ctx context.Context, logger *zap.Logger) (mailstore.Store, error) {
			return open(ctx, url.Reveal(), logger)
		}
	}
	return openAll(ctx, openers, logger)
}

func open(ctx context.Context, url string, logger *zap.Logger) (mailstore.Store, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		return sqlitestore.Open(ctx, path, logger)
	}
	return pgstore.Open(ctx, url, logger)
}

func openAll(ctx context.Context, openers map[string]opener, logger *zap.Logger) (Stores, error) {
	all := Stores{}
	var databases []*database
	for name, open := range openers {
		d := newDatabase(ctx, name, open, logger)
		all[name] = d
		databases = append(databases, d)
	}
	waiting, cancel := context.WithTimeout(ctx, firstWait)
	defer cancel()
	var errs []error
	for _, d := range databases {
		select {
		case <-d.tried:
		case <-waiting.Done():
			d.isAway(errors.New("it does not answer, or is still being migrated"))
		}
		if err := d.failure(); fault.IsPermanent(err) {
			errs = append(errs, fmt.Errorf("opening messaging database %q: %w", d.name, err))
		}
	}
	errs = append(errs, ctx.Err())
	if err := errors.Join(errs...); err != nil {
		return nil, errors.Join(err, all.Close())
	}
	return all, nil
}

// An Away says of a messaging database that it cannot be used at the moment.
type Away struct {
	Database string
	Since    time.Time
	Err      error // what the last call, or the last attempt to open it, failed with
}

// Away returns the databases that are away as far as the last call of each
// tells, by name.
func (s Stores) Away() []Away {
	var all []Away
	for _, store := range s {
		if d, ok := store.(*database); ok {
			if a := d.awayNow(); a != nil {
				all = append(all, *a)
			}
		}
	}
	slices.SortFunc(all, func(a, b Away) int { return cmp.Compare(a.Database, b.Database) })
	return all
}

// Notes returns Away in words, for /readyz. They are without the reasons: those
// are in the log.
func (s Stores) Notes() []string {
	var notes []string
	for _, a := range s.Away() {
		notes = append(notes, fmt.Sprintf("messaging database %q is away since %s; the mail of its tenants waits", a.Database, a.Since.UTC().Format(time.RFC3339)))
	}
	return notes
}

// checkTime bounds Check.
const checkTime = 2 * time.Second

// Check is Away after it has asked each database something small: one that
// does not answer within 2 s is away.
func (s Stores) Check(ctx context.Context) []Away {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	var g sync.WaitGroup
	for _, store := range s {
		if d, ok := store.(*database); ok {
			g.Go(func() { d.check(ctx) })
		}
	}
	g.Wait()
	return s.Away()
}

// Close closes every database.
func (s Stores) Close() error {
	var errs []error
	for _, store := range s {
		errs = append(errs, store.Close())
	}
	return errors.Join(errs...)
}
