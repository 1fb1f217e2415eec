package busserver

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

// Options of an embedded server.
type Options struct {
	Dir          string        // where JetStream stores its files; created when missing
	Listen       string        // loopback host:port, port 0 for any; empty: no listener, connections in process only
	User         string        // with Password, required of every connection, in process too; empty: none
	Password     string        // never logged
	SyncInterval time.Duration // how often files are synced to disk; 0: 1 s
	MaxStore     int64         // bytes on disk that streams may reserve; 0: DefaultMaxStore
	Logger       *zap.Logger   // required
}

// DefaultMaxStore has room for bus.EmbeddedBytes.
const DefaultMaxStore int64 = 10 << 30

const (
	defaultSyncInterval = time.Second // no measurable cost, and a crash of the machine loses a second at most
	maxMemory           = 64 << 20    // bytes for consumers that are kept in memory
	maxPayload          = 1 << 20
	startTimeout        = 20 * time.Second
	startPoll           = 50 * time.Millisecond
)

// Server is an embedded NATS server. It implements nats.InProcessConnProvider.
type Server struct {
	ns       *server.Server
	maxStore int64
}

// Start starts the server and returns when it takes connections. Listen must be
// a loopback address: the traffic is not encrypted.
func Start(o Options) (*Server, error) {
	opts, err := serverOptions(o)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded NATS server: %w", err)
	}
	ns, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("starting the embedded NATS server: %w", err)
	}
	l := log{z: o.Logger.Named("nats"), fatal: make(chan string, 1)}
	ns.SetLoggerV2(l, false, false, false)
	ns.Start()
	s := &Server{ns: ns, maxStore: opts.JetStreamMaxStore}
	if err := s.awaitReady(l.fatal); err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("starting the embedded NATS server: %w", err)
	}
	return s, nil
}

func (s *Server) awaitReady(fatal <-chan string) error {
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		ready := s.ns.ReadyForConnections(startPoll)
		select {
		case text := <-fatal:
			return errors.New(text)
		default:
		}
		if ready && s.ns.JetStreamEnabled() {
			return nil
		}
	}
	return fmt.Errorf("it is not ready after %s; see its log", startTimeout)
}

func serverOptions(o Options) (*server.Options, error) {
	if o.Dir == "" {
		return nil, errors.New("no directory is given for its files")
	}
	opts := &server.Options{
		ServerName:            "embedded",
		DontListen:            o.Listen == "",
		NoSigs:                true, // signals are the program's
		JetStream:             true,
		StoreDir:              o.Dir,
		SyncInterval:          o.SyncInterval,
		JetStreamMaxStore:     o.MaxStore,
		JetStreamMaxMemory:    maxMemory,
		MaxPayload:            maxPayload,
		DisableShortFirstPing: true,
	}
	if opts.SyncInterval == 0 {
		opts.SyncInterval = defaultSyncInterval
	}
	if opts.JetStreamMaxStore == 0 {
		opts.JetStreamMaxStore = DefaultMaxStore
	}
	if (o.User == "") != (o.Password == "") {
		return nil, errors.New("a user needs a password, and a password a user")
	}
	if o.User != "" {
		opts.CustomClientAuthentication = account{o.User, o.Password}
	}
	if o.Listen == "" {
		return opts, nil
	}
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("reading the address to listen on: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is not a loopback address: the embedded server speaks clear text; run a NATS server of its own for other machines", o.Listen)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("%s has no port from 0 to 65535", o.Listen)
	}
	opts.Host, opts.Port = host, int(n)
	if n == 0 {
		opts.Port = server.RANDOM_PORT
	}
	return opts, nil
}

// ClientURL returns the URL that clients connect to, "" without a listener.
func (s *Server) ClientURL() string {
	if s.ns.Addr() == nil {
		return ""
	}
	return s.ns.ClientURL()
}

// MaxStore returns how many bytes the streams may reserve on disk.
func (s *Server) MaxStore() int64 { return s.maxStore }

// InProcessConn connects without the network (nats.InProcessConnProvider).
func (s *Server) InProcessConn() (net.Conn, error) { return s.ns.InProcessConn() }

// Shutdown stops the server and waits until its files are closed. Close the
// connections before. Calling it again does nothing.
func (s *Server) Shutdown() {
	s.ns.Shutdown()
	s.ns.WaitForShutdown()
}
