package messaging_test

import (
	"strings"
	"testing"

	"github.com/mailyard/mailyard/schemas/messaging"
)

func TestMigrations(t *testing.T) {
	t.Parallel()
	for _, d := range []messaging.Dialect{messaging.PostgreSQL, messaging.SQLite} {
		ms, err := messaging.Migrations(d)
		if err != nil || len(ms) == 0 {
			t.Fatalf("%s: %d migrations, %v", d, len(ms), err)
		}
		for i, m := range ms {
			if m.Version != i+1 || m.Name == "" || !strings.Contains(m.SQL, ";") {
				t.Errorf("%s: migration %d is %d, %q", d, i+1, m.Version, m.Name)
			}
		}
	}
	if _, err := messaging.Migrations("oracle"); err == nil {
		t.Error("a database system without migrations is no error")
	}
}
