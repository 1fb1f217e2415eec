package pgstore

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

func TestPoolHasRoomForBothLanes(t *testing.T) {
	t.Parallel()
	usual := max(leastConns, runtime.NumCPU())
	for url, want := range map[string]int{
		"postgres://u:p@db/mail":                                      usual,
		"postgres://u:p@db/mail?sslmode=disable":                      usual,
		"postgres://u:p@db/mail?pool_max_conns=3":                     3,
		"postgres://u:p@db/mail?sslmode=disable&pool_max_conns=100":   100,
		"host=db user=u password=p dbname=mail":                       usual,
		"host=db user=u password=p dbname=mail pool_max_conns=5":      5,
		"postgres://u:p@db/mail?pool_min_conns=1&sslmode=verify-full": usual,
	} {
		config, err := parse(url)
		if err != nil || int(config.MaxConns) != want {
			t.Errorf("%s: %v connections, %v; want %d", url, config.MaxConns, err, want)
		}
	}
}

func TestLargeMailLeavesConnectionsToLightMail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Store{large: make(chan struct{}, largeWriters)}
		light := []mailstore.Mail{{Lane: schemas.Light}, {Lane: schemas.Light}}
		large := []mailstore.Mail{{Lane: schemas.Light}, {Lane: schemas.Large}}
		var releases []func()
		for range largeWriters {
			release, err := s.turn(t.Context(), large)
			if err != nil {
				t.Fatal(err)
			}
			releases = append(releases, release)
		}
		for range 20 {
			if _, err := s.turn(t.Context(), light); err != nil {
				t.Errorf("light mail: %v", err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := s.turn(ctx, large); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one large batch more: %v; want to wait", err)
		}
		if _, err := s.Persist(ctx, large); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("storing it: %v; want to wait", err)
		}
		releases[0]()
		if _, err := s.turn(t.Context(), large); err != nil {
			t.Errorf("when another one is done: %v", err)
		}
	})
}
