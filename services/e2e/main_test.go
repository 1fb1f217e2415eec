package e2e_test

import (
	"flag"
	"testing"

	"go.uber.org/goleak"
)

// atOnce is how many scenarios run at the same time: more than there are cores,
// because most of their time they wait for servers.
const atOnce = "10"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}
