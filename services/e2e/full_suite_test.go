//go:build full

package e2e_test

import (
	"testing"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

var dovecot = mailServerKind{name: "dovecot", start: imaptest.Dovecot, namespaces: true, logs: true}

func TestEmbeddedOnDovecot(t *testing.T) {
	runSuite(t, topology{open: openEmbedded}, dovecot)
}

func TestSeparateOnDovecot(t *testing.T) {
	runSuite(t, separateTopology(t, "-race"), dovecot)
}
