package operation

import (
	"strconv"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/opaque"
)

// notNext is what is wrong with a cursor that no page gave.
var notNext = config.Problem{Path: "before", Message: "is not what another page gave as next; begin with the first page"}

// before returns the number that a page begins before; 0 for the first page.
func before(cursor string, s opaque.Sealer) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	n, ok := s.Open(cursor)
	if !ok || n <= 0 {
		return 0, Invalid(notNext)
	}
	return n, nil
}

// sealPlace returns where a page of mails ended, for the next one: the time is
// that of the tenant's own mail, the number counts those of all.
func sealPlace(p mailstore.Place, s opaque.Sealer) string {
	return strconv.FormatInt(p.At.UnixNano(), 36) + "." + s.Seal(p.Seq)
}

// openPlace is the reverse of sealPlace; the zero place for the first page.
// Times are from 1678 to 2262.
func openPlace(cursor string, s opaque.Sealer) (mailstore.Place, bool) {
	if cursor == "" {
		return mailstore.Place{}, true
	}
	at, token, _ := strings.Cut(cursor, ".")
	nanos, err := strconv.ParseInt(at, 36, 64)
	seq, ok := s.Open(token)
	if err != nil || !ok || seq <= 0 {
		return mailstore.Place{}, false
	}
	return mailstore.Place{At: time.Unix(0, nanos).UTC(), Seq: seq}, true
}
