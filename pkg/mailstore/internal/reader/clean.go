package reader

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// maxText is the longest text that is searched for, in bytes: of more, nothing
// would be found, or nothing in time.
const maxText = 1000

// clean returns the query as it can be asked: what is stored has neither NUL
// nor invalid UTF-8, but U+FFFD in their place (see package record).
func clean(q mailstore.Query) (mailstore.Query, error) {
	switch q.State {
	case "", mailstore.Undisposed, mailstore.Disposed:
	default:
		return q, &mailstore.QueryError{Field: "state", Problem: "is neither undisposed nor disposed"}
	}
	verdict, reason := string(q.Verdict), string(q.Reason)
	for _, f := range []struct {
		name string
		text *string
	}{
		{"tenant", &q.Tenant}, {"mailbox", &q.Mailbox}, {"folder", &q.Folder}, {"verdict", &verdict}, {"reason", &reason},
		{"text", &q.Text}, {"address", &q.Address}, {"subject", &q.Subject}, {"message_id", &q.MessageID},
	} {
		if len(*f.text) > maxText {
			return q, &mailstore.QueryError{Field: f.name, Problem: fmt.Sprintf("is longer than %d bytes", maxText)}
		}
		*f.text = cleanText(*f.text)
	}
	q.Since, q.Until = bounded(q.Since), bounded(q.Until)
	q.Verdict, q.Reason = schemas.Verdict(verdict), schemas.Reason(reason)
	return q, nil
}

// bounded returns the nearest time that both databases can compare, in UTC.
func bounded(t time.Time) time.Time {
	first, last := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	switch t = t.UTC(); {
	case t.Before(first):
		return first
	case t.After(last):
		return last
	}
	return t
}

func cleanText(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return strings.ReplaceAll(s, "\x00", "\uFFFD")
}
