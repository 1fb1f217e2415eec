package fetcher

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// quota returns how many more mails the tenant may have fetched today, at most
// limit, and whether that is why it is less. While Redis is away nothing is
// held back: the limit is for fair use, and mail comes first.
func (s *session) quota(ctx context.Context, limit int) (left int, reached bool) {
	perDay := s.view.Tenant.Document.Limits.MailPerDay
	if perDay <= 0 {
		return limit, false
	}
	fetched, err := s.redis.MailsOn(ctx, s.tenant, time.Now())
	if err != nil {
		s.logger.Warn("reading how many mails the tenant had today", zap.Error(err))
		return limit, false
	}
	left = max(perDay-fetched-s.backlog.begun(), 0)
	return min(left, limit), left == 0
}

// count counts mails against the tenant's limit of mail per day.
func (s *session) count(ctx context.Context, n int) {
	if s.view.Tenant.Document.Limits.MailPerDay <= 0 {
		return
	}
	if err := s.redis.CountMails(ctx, s.tenant, n, time.Now()); err != nil {
		s.logger.Warn("counting the tenant's mails of today", zap.Error(err), zap.Int("mails", n))
	}
}

// A limitReached says that a tenant had all the mail that it may have in a day.
type limitReached struct {
	tenant string
	perDay int
}

func (e *limitReached) Error() string {
	return fmt.Sprintf("tenant %s has had the %d mails that its limit (limits.mail_per_day) allows a day; the rest waits in the inbox until midnight UTC", e.tenant, e.perDay)
}

// midnight returns the pause until the next UTC day.
func midnight(now time.Time) time.Duration {
	now = now.UTC()
	return time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 1, 0, time.UTC).Sub(now)
}
