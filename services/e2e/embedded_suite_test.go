package e2e_test

import "testing"

func TestEmbeddedOnDemoServer(t *testing.T) {
	t.Parallel()
	runSuite(t, topology{open: openEmbedded}, demoServer)
}
