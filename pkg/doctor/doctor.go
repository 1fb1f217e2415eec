package doctor

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/mailhost"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas/config"
)

// A Doctor tries out settings. The zero value is ready for use; it is safe for
// concurrent use.
type Doctor struct {
	// Dial opens the connections; nil: a net.Dialer. Restrictions on where a
	// tenant may connect to belong here.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// LookupNetIP finds addresses for the steps that tell of them; nil:
	// net.DefaultResolver's.
	LookupNetIP func(ctx context.Context, network, host string) ([]netip.Addr, error)
	// Allows reports whether an address may be dialled at a port; nil: every one
	// may. To a tenant a name without such an address does not exist.
	Allows func(address netip.Addr, port int) bool
	// Announce tells the pipeline the token of test mails (routing.ProbeHeader)
	// before they are sent: what bears it goes to no folder, whichever mailbox it
	// comes to. nil: there is no pipeline.
	Announce func(ctx context.Context, token string) error
	Logger   *zap.Logger   // nil: silent
	Limit    time.Duration // for a Run, a DryRun or Folders; 0: 90 s
}

// A Request is the mailbox to try out.
type Request struct {
	Document config.Mailbox
	Password secret.String
	// AllowInsecureIMAP and AllowInsecureSMTP let the password cross an
	// unencrypted connection, where the landlord allowed that.
	AllowInsecureIMAP, AllowInsecureSMTP bool
	// Detailed is for the landlord: addresses and the network's own errors are told.
	Detailed bool
	// Addresses are those of the mailbox's folders, aliases included.
	Addresses []string
	// Taken tells which mailbox of the tenant the pipeline took a mail from, by its
	// Message-ID; both are zero if none. nil: nobody knows.
	Taken func(ctx context.Context, messageID string) (Taker, error)
}

// A Taker is a mailbox that a mail came to.
type Taker struct{ ID, Name string }

func (r Request) target(p mailhost.Protocol) mailhost.Target {
	m := r.Document
	server, insecure := m.IMAP, r.AllowInsecureIMAP
	if p == mailhost.SMTP {
		server, insecure = m.SMTP, r.AllowInsecureSMTP
	}
	return mailhost.Target{
		Tenant: m.Tenant, Mailbox: m.ID, Host: server.Host, Port: server.Port, Security: server.Security, CA: server.CA,
		AllowInsecure: insecure, Username: m.Username, Password: r.Password,
	}
}

// Run tries everything and tells report, which may be nil, of every step when it
// begins and when it ended, and once more when a later step found out more of it.
// report is called on the caller's goroutine. The end of ctx cancels; what was
// made on the server is removed all the same, within a few seconds.
func (d Doctor) Run(ctx context.Context, req Request, report func(Step)) Report {
	ctx, cancel, r := d.begin(ctx, req, report)
	defer cancel()
	if r.signIn(ctx) {
		r.mailbox(ctx)
	}
	if conn := r.smtp(ctx); conn != nil {
		r.mail(ctx, conn)
		conn.Close()
	}
	r.end(ctx)
	r.cleanUp(ctx)
	return Report{Steps: r.steps, Outcome: worst(r.steps), Began: r.began, Took: time.Since(r.began)}
}

func (d Doctor) begin(ctx context.Context, req Request, report func(Step)) (context.Context, context.CancelFunc, *run) {
	if d.Dial == nil {
		d.Dial = new(net.Dialer).DialContext
	}
	if d.LookupNetIP == nil {
		d.LookupNetIP = net.DefaultResolver.LookupNetIP
	}
	if d.Logger == nil {
		d.Logger = zap.NewNop()
	}
	d.Limit = cmp.Or(d.Limit, 90*time.Second)
	if report == nil {
		report = func(Step) {}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, d.Limit, errLimit)
	return ctx, cancel, &run{
		doctor: d, req: req, report: report, began: time.Now(), steps: Plan(), public: make(map[mailhost.Protocol]bool), hidden: make(map[mailhost.Protocol]bool),
		log:     d.Logger.With(zap.String("tenant", req.Document.Tenant), zap.String("mailbox", req.Document.ID)),
		secrets: mailhost.HideSecrets(req.Document.Username, req.Password.Reveal()),
	}
}
