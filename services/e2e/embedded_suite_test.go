package e2e_test

import "testing"

func TestEmbeddedOnDemoServer(t *testing.T) {
	runSuite(t, topology{open: openEmbedded}, demoServer)
}
