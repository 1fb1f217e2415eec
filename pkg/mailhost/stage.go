package mailhost

import (
	"crypto/tls"
	"crypto/x509"
	"net"
)

// A Stage is a part of the way from nothing to an open mailbox.
type Stage string

// The stages. With STARTTLS the greeting comes before TLS, else after it.
const (
	StageConnect      Stage = "connect"
	StageGreeting     Stage = "greeting"
	StageTLS          Stage = "tls"
	StageCapabilities Stage = "capabilities"
	StageSignIn       Stage = "sign-in"
	StageNamespace    Stage = "namespace" // IMAP only
)

// A Progress tells how far a connection came. Of a stage that fails there is no
// Progress with Ended: the error is of the last stage that began.
type Progress struct {
	Stage        Stage
	Ended        bool
	Answer       string               // what the server said, cleaned; no secrets
	Remote       net.Addr             // of StageConnect
	TLS          *tls.ConnectionState // of StageTLS; nil: not encrypted
	Certificate  *x509.Certificate    // of StageTLS that will fail: the one that was refused
	Capabilities []string             // of StageCapabilities and StageSignIn, upper case
	Delimiter    string               // of StageNamespace
	Prefix       string               // of StageNamespace
}

// An Observer is told of a connection's progress, on the goroutine that makes
// the connection. A nil Observer is told nothing.
type Observer func(Progress)

// Begin tells that a stage begins.
func (o Observer) Begin(s Stage) { o.Tell(Progress{Stage: s}) }

// End tells that a stage ended well.
func (o Observer) End(p Progress) {
	p.Ended = true
	o.Tell(p)
}

// Tell tells.
func (o Observer) Tell(p Progress) {
	if o != nil {
		o(p)
	}
}
