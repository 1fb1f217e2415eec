package operation

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
)

// GetSystem asks how the installation is.
type GetSystem struct{}

// System is how the installation is.
type System struct {
	Version   string            `json:"version"`
	Services  []bus.ServiceInfo `json:"services"`
	Backlogs  []bus.Backlog     `json:"backlogs"`  // by stream of the mail path
	Dead      uint64            `json:"dead"`      // dead letters of all tenants
	Databases []string          `json:"databases"` // messaging databases that tenants may use
	At        time.Time         `json:"at"`
	Away      []string          `json:"away,omitempty"` // what could not be asked
}

// GetSystem returns which services run, what waits between them, and since when.
func (d *Desk) GetSystem(ctx context.Context, a control.Actor, _ *GetSystem) (System, error) {
	if err := a.MayRule(""); err != nil {
		return System{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s := System{Version: d.Version, Databases: append([]string{}, d.Databases...), At: d.now(), Services: []bus.ServiceInfo{}, Backlogs: []bus.Backlog{}}
	ask := func(what string, f func() error) {
		if err := f(); err != nil {
			d.Logger.Warn("asking how the installation is", zap.String("what", what), zap.Error(err))
			s.Away = append(s.Away, what)
		}
	}
	ask("the services that run", func() error {
		list, err := d.Bus.Services(ctx)
		s.Services = append(s.Services, list...)
		return err
	})
	ask("what waits in the streams", func() error {
		list, err := d.Bus.Backlogs(ctx)
		s.Backlogs = append(s.Backlogs, list...)
		return err
	})
	ask("how many dead letters there are", func() (err error) {
		s.Dead, err = d.Bus.CountDead(ctx)
		return err
	})
	for _, away := range d.Stores.Check(ctx) {
		s.Away = append(s.Away, fmt.Sprintf("the messaging database %s, which is away since %s (%v)", away.Database, away.Since.Format(time.RFC3339), away.Err))
	}
	return s, nil
}
