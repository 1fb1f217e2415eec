package fetcher

import (
	"errors"
	"time"

	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/schemas"
)

const (
	firstRetry      = time.Second
	longestRetry    = 30 * time.Second
	firstSlowRetry  = time.Minute
	longestSlow     = 15 * time.Minute
	confirmRetry    = 30 * time.Second
	credentialRetry = time.Hour
)

// A schedule says when a mailbox that failed is tried again: soon and ever
// later for connect_retries attempts, then on a slow schedule, for ever. Refused
// credentials are tried once more, because providers refuse good ones in bad
// moments, and then once an hour. A host that may not be dialled, or that nobody
// knows, is on the slow schedule at once.
type schedule struct{ failures, refusals int }

// next counts a failure and returns the pause before the next attempt, and the
// status of the mailbox until then.
func (s *schedule) next(err error, retries int) (time.Duration, schemas.MailboxStatus) {
	var limit *limitReached
	if errors.As(err, &limit) {
		return midnight(time.Now()), schemas.StatusThrottled
	}
	if egress.Lasting(err) { // to ask again soon will not make the landlord allow it
		s.failures++
		return jitter(slow(s.failures)), schemas.StatusUnreachable
	}
	var e *imapconn.Error
	if !errors.As(err, &e) {
		e = &imapconn.Error{}
	}
	switch e.Kind {
	case imapconn.KindCredentials:
		s.refusals++
		if s.refusals == 1 {
			return jitter(confirmRetry), schemas.StatusAuthFailed
		}
		return jitter(credentialRetry), schemas.StatusAuthFailed
	case imapconn.KindThrottled:
		s.failures++
		return max(e.After, jitter(slow(s.failures))), schemas.StatusThrottled
	}
	s.failures++
	if s.failures <= retries {
		return jitter(min(firstRetry<<min(s.failures-1, 10), longestRetry)), schemas.StatusConnecting
	}
	return jitter(slow(s.failures - retries)), statusOf(e.Kind)
}

func slow(n int) time.Duration { return min(firstSlowRetry<<min(n-1, 10), longestSlow) }

func statusOf(k imapconn.Kind) schemas.MailboxStatus {
	switch k {
	case imapconn.KindTLS:
		return schemas.StatusTLSFailed
	case imapconn.KindUnreachable:
		return schemas.StatusUnreachable
	case imapconn.KindFolder:
		return schemas.StatusFolderMissing
	}
	return schemas.StatusFailed
}
