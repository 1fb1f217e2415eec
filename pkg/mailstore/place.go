package mailstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Place is where a page of mails ended: where its last mail is in the order
// of the list. The next page is found from it alone, also when that mail is gone
// meanwhile, and costs the same wherever it begins.
type Place struct {
	At  time.Time // when the mail was persisted; of no account without a tenant
	Seq int64
}

// Place returns where the mail is in a list.
func (s Summary) Place() Place { return Place{At: s.PersistedAt, Seq: s.Seq} }

// IsZero reports whether it is before the first page.
func (p Place) IsZero() bool { return p == Place{} }

// String returns what ParsePlace takes, for clients to send back as it is; empty
// for the zero value. Times are from 1678 to 2262.
func (p Place) String() string {
	if p.IsZero() {
		return ""
	}
	return strconv.FormatInt(p.At.UnixNano(), 36) + "." + strconv.FormatInt(p.Seq, 36)
}

// errPlace is about what no page gave.
var errPlace = errors.New("it is not what another page gave")

// ParsePlace is the reverse of Place.String.
func ParsePlace(s string) (Place, error) {
	if s == "" {
		return Place{}, nil
	}
	at, seq, _ := strings.Cut(s, ".")
	nanos, err := strconv.ParseInt(at, 36, 64)
	if err != nil {
		return Place{}, fmt.Errorf("reading where a page ended: %w", errPlace)
	}
	n, err := strconv.ParseInt(seq, 36, 64)
	if err != nil || n <= 0 {
		return Place{}, fmt.Errorf("reading where a page ended: %w", errPlace)
	}
	return Place{At: time.Unix(0, nanos).UTC(), Seq: n}, nil
}
