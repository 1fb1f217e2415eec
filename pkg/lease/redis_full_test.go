//go:build full

package lease_test

import (
	"os"
	"testing"
)

func TestRedis(t *testing.T) {
	url := os.Getenv("MAILYARD_TEST_REDIS")
	if url == "" {
		t.Fatal("MAILYARD_TEST_REDIS is not set: it must be the URL of a Redis server, as make test starts one")
	}
	suite(t, func(*testing.T) string { return url })
}
