package deployment

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/secret"
)

// Embedded is the value of NATS.URL and RedisURL that asks for the server that
// comes with the mailyard binary.
const Embedded = "embedded"

// Settings are the settings of an installation. All services read the same file.
type Settings struct {
	NATS          NATS                     `yaml:"nats"`
	RedisURL      secret.String            `yaml:"redis"`     // redis://… or embedded
	Control       secret.String            `yaml:"control"`   // sqlite:PATH or postgres://…
	Messaging     map[string]secret.String `yaml:"messaging"` // name of a messaging database to sqlite:PATH or postgres://…
	MasterKeyFile string                   `yaml:"master_key_file"`
	// InsecureHosts lists the mail servers, "host:port", to which credentials
	// may be sent in clear text.
	InsecureHosts []string `yaml:"insecure_hosts"`
	// MailNetworks lists what mail servers may be in besides public addresses:
	// "10.0.0.0/8", "10.1.2.3", or "127.0.0.1:10143" for one port of one address.
	MailNetworks []string      `yaml:"mail_networks"`
	MailPorts    []int         `yaml:"mail_ports"` // may be dialled besides those of IMAP and SMTP
	Admin        Admin         `yaml:"admin"`
	Health       string        `yaml:"health"` // address of /healthz, /readyz and /metrics; empty: none
	LogLevel     string        `yaml:"log_level"`
	Grace        time.Duration `yaml:"grace"`     // how long work may go on after a stop was asked for
	LeaseTTL     time.Duration `yaml:"lease_ttl"` // how long a dead replica keeps its mailboxes
}

// NATS says how NATS is reached.
type NATS struct {
	URL      string        `yaml:"url"` // nats://…, several separated by commas, or embedded
	User     string        `yaml:"user"`
	Password secret.String `yaml:"password"`
	Replicas int           `yaml:"replicas"` // of each stream: 1, 3 or 5
	// Store is the most that all streams together may hold on a server, such as
	// "20 GB". Empty: what the topology has by default.
	Store string `yaml:"store"`
}

// StoreBytes returns Store in bytes, 0 if it is empty.
func (n NATS) StoreBytes() (int64, error) {
	if n.Store == "" {
		return 0, nil
	}
	return config.ParseSize(n.Store)
}

// Defaults returns the settings of a service that runs alone and finds its
// servers on the usual ports of this host.
func Defaults() Settings {
	return Settings{
		NATS:     NATS{URL: "nats://127.0.0.1:4222", Replicas: 1},
		RedisURL: secret.NewString("redis://127.0.0.1:6379/0"),
		LogLevel: "info",
		Grace:    45 * time.Second,
		LeaseTTL: 30 * time.Second,
		Admin:    Admin{OIDC: OIDC{TokenDays: 30}},
	}
}

// Validate returns every problem, each with the path of its setting.
func (s Settings) Validate() error {
	var problems []error
	problem := func(path, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
	}
	if s.NATS.URL != Embedded {
		for _, u := range strings.Split(s.NATS.URL, ",") {
			if p, err := url.Parse(strings.TrimSpace(u)); err != nil || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, p.Scheme) || p.Host == "" {
				problem("nats.url", "%q is neither nats://host:port nor %q", withoutUser(u), Embedded)
			} else if p.User != nil {
				problem("nats.url", "carries a user: give nats.user and nats.password instead")
			}
		}
	}
	if !slices.Contains([]int{1, 3, 5}, s.NATS.Replicas) {
		problem("nats.replicas", "%d is not 1, 3 or 5", s.NATS.Replicas)
	}
	if _, err := s.NATS.StoreBytes(); err != nil {
		problem("nats.store", "%v", err)
	}
	if u := s.RedisURL.Reveal(); u != Embedded && !hasScheme(u, "redis", "rediss", "unix") {
		problem("redis", "is neither a redis:// URL nor %q", Embedded)
	}
	if u := s.Control.Reveal(); u != "" && !isDatabase(u) {
		problem("control", "is neither sqlite:PATH nor a postgres:// URL")
	}
	for name, u := range s.Messaging {
		if !isDatabase(u.Reveal()) {
			problem("messaging."+name, "is neither sqlite:PATH nor a postgres:// URL")
		}
	}
	for i, h := range s.InsecureHosts {
		host, port, err := net.SplitHostPort(h)
		if n, e := strconv.Atoi(port); err != nil || host == "" || e != nil || n < 1 || n > 65535 {
			problem(fmt.Sprintf("insecure_hosts[%d]", i), "%q is not host:port", h)
		}
	}
	for i, n := range s.MailNetworks {
		if _, err := egress.ParsePolicy([]string{n}, nil); err != nil {
			problem(fmt.Sprintf("mail_networks[%d]", i), "%v", err)
		}
	}
	for i, n := range s.MailPorts {
		if _, err := egress.ParsePolicy(nil, []int{n}); err != nil {
			problem(fmt.Sprintf("mail_ports[%d]", i), "%v", err)
		}
	}
	s.Admin.validate(problem)
	if _, err := zapcore.ParseLevel(s.LogLevel); err != nil {
		problem("log_level", "%q is not debug, info, warn or error", s.LogLevel)
	}
	if s.Grace <= 0 {
		problem("grace", "%s is not a positive duration, such as 45s", s.Grace)
	}
	if s.LeaseTTL < time.Second {
		problem("lease_ttl", "%s is under 1s", s.LeaseTTL)
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// withoutUser leaves out what may be a user and a password.
func withoutUser(u string) string {
	if i := strings.LastIndex(u, "@"); i >= 0 {
		return "…" + u[i:]
	}
	return u
}

func isDatabase(u string) bool {
	return strings.HasPrefix(u, "sqlite:") && len(u) > len("sqlite:") || hasScheme(u, "postgres", "postgresql")
}

func hasScheme(u string, schemes ...string) bool {
	p, err := url.Parse(u)
	return err == nil && slices.Contains(schemes, p.Scheme)
}

// Insecure reports whether the landlord allowed clear text to this very host and port.
func (s Settings) Insecure(host string, port int) bool {
	want := net.JoinHostPort(strings.ToLower(host), strconv.Itoa(port))
	return slices.ContainsFunc(s.InsecureHosts, func(h string) bool { return strings.ToLower(h) == want })
}

// Egress returns what dials mail servers, within what the landlord allows.
func (s Settings) Egress() (*egress.Dialer, error) {
	p, err := egress.ParsePolicy(s.MailNetworks, s.MailPorts)
	if err != nil {
		return nil, fmt.Errorf("reading mail_networks and mail_ports: %w", err)
	}
	return egress.New(p, egress.Options{}), nil
}

// NewLogger returns a logger of JSON lines on standard error.
func (s Settings) NewLogger(service string) (*zap.Logger, error) {
	level, err := zapcore.ParseLevel(s.LogLevel)
	if err != nil {
		return nil, fmt.Errorf("log_level: %w", err)
	}
	c := zap.NewProductionConfig()
	c.Level = zap.NewAtomicLevelAt(level)
	c.EncoderConfig.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	c.EncoderConfig.TimeKey = "time"
	c.DisableStacktrace = true
	l, err := c.Build()
	if err != nil {
		return nil, fmt.Errorf("building logger: %w", err)
	}
	return l.Named(service), nil
}
