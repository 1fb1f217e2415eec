package operation

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/account"
	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/credential"
	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/stores"
	"github.com/mailyard/mailyard/pkg/opaque"
	"github.com/mailyard/mailyard/pkg/provider"
)

// A Desk performs the operations. It is safe for concurrent use. All fields but
// those that say otherwise are needed.
type Desk struct {
	Control   *control.Store
	Accounts  *account.Store
	Stores    stores.Stores
	Bus       *bus.Conn
	Leases    *lease.Client
	Doctor    doctor.Doctor
	Resolver  provider.Resolver // of the servers of mail addresses; nil: net.DefaultResolver
	Mail      credential.Source
	Databases []string // names of the messaging databases that tenants may use
	Version   string
	Logger    *zap.Logger

	rosters rosters
}

// now is when an operation happens.
func (d *Desk) now() time.Time { return time.Now().UTC() }

// mayRead checks the actor. Another tenant than one's own does not exist.
func mayRead(a control.Actor, tenant string) error {
	if a.Tenant != "" && a.Tenant != tenant {
		return missing("tenant " + shorten(tenant))
	}
	return a.MayRead(tenant)
}

// mayWrite is mayRead for changes.
func mayWrite(a control.Actor, tenant string) error {
	if err := mayRead(a, tenant); err != nil {
		return err
	}
	return a.MayWrite(tenant)
}

// mayRule is for what only the landlord does.
func mayRule(a control.Actor, tenant string) error {
	if a.Tenant != "" && a.Tenant != tenant {
		return missing("tenant " + shorten(tenant))
	}
	return a.MayRule(tenant)
}

// store returns the messaging database of a tenant.
func (d *Desk) store(ctx context.Context, a control.Actor, tenant string) (mailstore.Store, error) {
	t, err := d.Control.GetTenant(ctx, a, tenant)
	if err != nil {
		return nil, err
	}
	s, ok := d.Stores[t.Document.MessagingDatabase]
	if !ok {
		return nil, problem(http.StatusServiceUnavailable, nil, "the messaging database %q of tenant %s is not configured in this installation; the landlord must add it to the settings, or choose another one in the Tenant Parameters", t.Document.MessagingDatabase, tenant)
	}
	return s, nil
}

// InTenant is the part of an input that names a tenant.
type InTenant struct {
	Tenant string `path:"tenant" json:"tenant" doc:"Id of the tenant."`
}

// Condition is the part of an input that says what a change is based on
// (RFC 9110, section 13.1).
type Condition struct {
	IfMatch     string `header:"If-Match" json:"if_match,omitempty" doc:"ETag of what the change is based on; * for any."`
	IfNoneMatch string `header:"If-None-Match" json:"if_none_match,omitempty" doc:"* when it must be new."`
}

// based returns the revision, which s sealed, as package control wants it. A
// change that says nothing is refused: the last writer must not win by accident.
func (c Condition) based(required bool, s opaque.Sealer) (int64, error) {
	match := strings.TrimSpace(c.IfMatch)
	switch {
	case strings.TrimSpace(c.IfNoneMatch) == "*" && match == "":
		return control.IfNew, nil
	case c.IfNoneMatch != "":
		return 0, problem(http.StatusBadRequest, nil, "If-None-Match can only be *, which says that it must be new, and not together with If-Match")
	case match == "*": // RFC 9110, section 13.1.1: of what is there
		return control.IfThere, nil
	case match == "" && required:
		return 0, problem(http.StatusPreconditionRequired, nil, "say what the change is based on: If-Match with the ETag that reading it gave, If-None-Match: * for something new, or If-Match: * to overwrite whatever is there")
	case match == "":
		return 0, nil
	}
	if n, ok := s.Open(strings.Trim(match, `"`)); ok && n > 0 {
		return n, nil
	}
	return noRevision, nil
}

// Done is the answer of an operation that has nothing to tell.
type Done struct {
	Message string `json:"message"`
}

func done(format string, args ...any) Done { return Done{Message: fmt.Sprintf(format, args...)} }

// A File is an answer that is not JSON.
type File struct {
	Name        string `json:"name"`
	ContentType string `json:"content_type"`
	Content     []byte `json:"content"` // base64 in JSON
}

// Revised is implemented by answers that have a revision, the ETag of REST.
type Revised interface{ ETagRevision() string }

type rosters struct {
	mu      sync.Mutex
	tenants map[rosterKey]*roster
}
