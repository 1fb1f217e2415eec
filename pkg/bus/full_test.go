//go:build full

package bus_test

import (
	"testing"

	"github.com/mailyard/mailyard/pkg/bus/bustest"
)

// TestProcess is TestEmbedded against a nats-server of its own.
func TestProcess(t *testing.T) { runSuite(t, bustest.StartProcess) }
