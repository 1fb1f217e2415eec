package operation_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/lease/leaseserver"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// replicas returns the desks of two admin services of an office, each with its
// own connection to the Redis that they share, and what takes that away.
func replicas(t *testing.T, o *admintest.Office) (one, other *operation.Desk, away func()) {
	t.Helper()
	redis, err := leaseserver.Start(leaseserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(redis.Close)
	replica := func() *operation.Desk {
		leases, err := lease.Dial(t.Context(), lease.Options{URL: redis.URL(), Logger: o.Logger})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { leases.Close() })
		return &operation.Desk{
			Control: o.Control, Accounts: o.Accounts, Stores: o.Desk.Stores, Bus: o.Conn, Leases: leases, Logger: o.Logger,
			Doctor: o.Desk.Doctor, Resolver: o.Desk.Resolver, Mail: o.Desk.Mail, Databases: o.Desk.Databases, Version: "test",
		}
	}
	return replica(), replica(), redis.Close
}

func TestExaminationsAreBoundedOverAllReplicas(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	inZone(o, zone{"imap.public.example": "93.184.216.34"})
	dialled, release := make(chan struct{}), make(chan struct{})
	o.Desk.Doctor.Dial = func(context.Context, string, string) (net.Conn, error) {
		dialled <- struct{}{}
		<-release
		return nil, errors.New("away")
	}
	one, other, away := replicas(t, o)
	ended := make(chan error)
	examine := func(d *operation.Desk) error {
		_, err := d.RunDoctor(t.Context(), o.Ann.Actor, new(operation.RunDoctor(draft(o.Acme, "imap.public.example"))))
		return err
	}
	for _, d := range []*operation.Desk{one, other, one, other} {
		go func() { ended <- examine(d) }()
		<-dialled
	}
	refused(t, examine(one))
	refused(t, examine(other))
	close(release)
	for range 4 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	go func() { ended <- examine(other) }()
	<-dialled
	if err := <-ended; err != nil {
		t.Errorf("when all have ended: %v", err)
	}
	away()
	err := examine(one)
	if p := operation.ProblemOf(err); err == nil || p.Status != http.StatusServiceUnavailable || !strings.Contains(p.Detail, "Redis, which is away; try again") {
		t.Errorf("without Redis: %v", err)
	}
}
