package demoserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-smtp"
	"go.uber.org/zap"
)

// Options tell what to serve.
type Options struct {
	Dir     string // where everything is kept; made when missing
	Addr    string // to listen on; default "127.0.0.1:0"
	TLSAddr string // to listen on with TLS from the first byte; empty: no such listener
	// SMTPAddr and SMTPTLSAddr are to listen on for mail that the users send, the
	// latter with TLS from the first byte; only loopback addresses; empty: no such
	// listener. Mail to a user, or to any address of a user's domain, goes to the
	// inbox; what is for elsewhere is refused.
	SMTPAddr, SMTPTLSAddr string

	Users  map[string]string // by name: the password
	TLS    *tls.Config       // for STARTTLS, TLSAddr and SMTPTLSAddr; nil: clear text only
	Logger *zap.Logger       // nil: silent
	// Caps are the capabilities offered besides what go-imap always offers; nil: all.
	Caps imap.CapSet
}

// A Server serves until it is closed. Its methods may be called at any time, by anyone.
type Server struct {
	opts     Options
	accounts map[string]*account
	imap     *imapserver.Server
	plain    *listener
	tls      *listener // nil: none

	smtp                      *smtp.Server
	submission, submissionTLS *listener // nil: none

	sessions sync.WaitGroup
	serving  sync.WaitGroup
	stop     func() bool
	closed   sync.Once
}

// Start reads what is in the folder and listens. The end of ctx closes the
// server, as Close does.
func Start(ctx context.Context, opts Options) (*Server, error) {
	if opts.Logger == nil {
		opts.Logger = zap.NewNop()
	}
	if opts.Addr == "" {
		opts.Addr = "127.0.0.1:0"
	}
	if opts.Caps == nil {
		opts.Caps = imap.CapSet{imap.CapNamespace: {}, imap.CapUIDPlus: {}, imap.CapESearch: {}, imap.CapMove: {}, imap.CapLiteralPlus: {}}
	}
	caps := opts.Caps.Copy()
	caps[imap.CapIMAP4rev1] = struct{}{}
	if err := os.MkdirAll(opts.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the demo server: %w", err)
	}
	s := &Server{opts: opts, accounts: make(map[string]*account)}
	for user, password := range opts.Users {
		a, err := openAccount(opts.Dir, user, password)
		if err != nil {
			return nil, fmt.Errorf("opening the demo mailbox of %s: %w", user, err)
		}
		s.accounts[user] = a
	}
	s.imap = imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			s.sessions.Add(1)
			return &session{server: s, wake: make(chan struct{}, 1)}, nil, nil
		},
		Caps:         caps,
		Logger:       printer{opts.Logger},
		TLSConfig:    opts.TLS,
		InsecureAuth: true,
	})
	if err := errors.Join(s.listen(), s.listenSMTP()); err != nil {
		s.close()
		return nil, err
	}
	s.stop = context.AfterFunc(ctx, func() { s.close() })
	return s, nil
}

func (s *Server) listen() error {
	plain, err := listen(s.opts.Addr)
	if err != nil {
		return err
	}
	s.plain = plain
	if s.opts.TLSAddr != "" && s.opts.TLS != nil {
		if s.tls, err = listen(s.opts.TLSAddr); err != nil {
			return err
		}
		s.serve(tls.NewListener(s.tls, s.opts.TLS))
	}
	s.serve(plain)
	return nil
}

func (s *Server) serve(l net.Listener) {
	s.serving.Go(func() {
		if err := s.imap.Serve(l); err != nil {
			s.opts.Logger.Error("serving the demo mailboxes", zap.Error(err))
		}
	})
}

// Addr returns the address for clear text and STARTTLS.
func (s *Server) Addr() *net.TCPAddr { return s.plain.Addr().(*net.TCPAddr) }

// TLSAddr returns the address for TLS from the first byte, nil for none.
func (s *Server) TLSAddr() *net.TCPAddr { return s.tls.addr() }

// SMTPAddr returns the address for mail that the users send, nil for none.
func (s *Server) SMTPAddr() *net.TCPAddr { return s.submission.addr() }

// SMTPTLSAddr is SMTPAddr with TLS from the first byte.
func (s *Server) SMTPTLSAddr() *net.TCPAddr { return s.submissionTLS.addr() }

// Close ends all connections and waits until they have ended. It may be called
// more than once.
func (s *Server) Close() error {
	s.stop()
	s.close()
	return nil
}

func (s *Server) close() {
	s.closed.Do(func() {
		s.imap.Close()
		for _, l := range []*listener{s.plain, s.tls, s.submission, s.submissionTLS} {
			l.end()
		}
		if err := s.smtp.Shutdown(context.Background()); err != nil { // waits for its sessions
			s.opts.Logger.Debug("closing the demo server", zap.Error(err))
		}
		s.serving.Wait()
		s.sessions.Wait()
	})
}

// printer is what go-imap logs to: mostly clients that hang up.
type printer struct{ logger *zap.Logger }

func (p printer) Println(args ...any) { p.Printf("%s", fmt.Sprint(args...)) }

func (p printer) Printf(format string, args ...any) {
	p.logger.Debug("demo server", zap.String("event", fmt.Sprintf(format, args...)))
}
