package mailstore_test

import (
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

func FuzzParsePlace(f *testing.F) {
	p := mailstore.Place{At: time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC), Seq: 42}
	for _, s := range []string{"", p.String(), ".", "1.", ".1", "1.0", "1.-1", "0.1", "-1.1", "zzzzzzzzzzzzzzzz.1", "1.1.1", "42"} {
		f.Add(s)
	}
	if got, err := mailstore.ParsePlace(p.String()); err != nil || !got.At.Equal(p.At) || got.Seq != p.Seq {
		f.Errorf("%s is read as %+v, %v", p, got, err)
	}
	for _, s := range []string{".", "1.", ".1", "1.0", "1.-1", "42", "1.1.1"} {
		if got, err := mailstore.ParsePlace(s); err == nil {
			f.Errorf("%q is read as %+v", s, got)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := mailstore.ParsePlace(s)
		if err != nil {
			return
		}
		again, err := mailstore.ParsePlace(p.String())
		if err != nil || again != p {
			t.Errorf("%q is %+v, and then %+v, %v", s, p, again, err)
		}
	})
}
