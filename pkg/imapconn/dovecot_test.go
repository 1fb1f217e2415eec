//go:build full

package imapconn_test

import (
	"testing"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

func TestDovecot(t *testing.T) { suite(t, imaptest.Dovecot) }
