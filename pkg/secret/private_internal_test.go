package secret

import (
	"io/fs"
	"testing"
)

func TestOnlyAFileOfRootMayBeReadByItsGroup(t *testing.T) {
	t.Parallel()
	cases := []struct {
		mode      fs.FileMode
		entrusted bool
		want      bool
	}{
		{0o600, false, true},
		{0o400, false, true},
		{0o440, false, false},
		{0o640, false, false},
		{0o604, false, false},
		{0o400, true, true},
		{0o440, true, true},
		{0o640, true, true},
		{0o660, true, false},
		{0o444, true, false},
	}
	for _, c := range cases {
		if got := private(c.mode, c.entrusted); got != c.want {
			t.Errorf("mode %04o, entrusted %v: %v", c.mode, c.entrusted, got)
		}
	}
}
