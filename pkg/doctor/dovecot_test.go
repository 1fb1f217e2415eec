//go:build full

package doctor_test

import (
	"testing"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
)

func TestDovecot(t *testing.T) { t.Parallel(); suite(t, imaptest.Dovecot) }

func TestDovecotWithNamesLikeCouriers(t *testing.T) {
	t.Parallel()
	s := imaptest.Dovecot(t, imaptest.Options{Prefix: "INBOX.", Separator: "."})
	unchanged(t, s, "u1", func() {
		report, steps := examine(t, doctor.Doctor{}, request(s.Target("u1")))
		if report.Outcome == doctor.Failed || value(steps[doctor.StepNamespace], "Prefix") != `"INBOX."` {
			t.Errorf("%+v", steps[doctor.StepNamespace])
		}
	})
	c := s.Client("u1")
	defer c.Close()
	if err := c.Create("INBOX.A.B", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	names, err := doctor.Doctor{}.Folders(t.Context(), request(s.Target("u1")))
	if err != nil || len(names) != 2 || names[0] != "A/B" {
		t.Errorf("%q, %v", names, err)
	}
}
