package lease

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// dailyTTL is how long a day's count is kept; nothing depends on its end.
const dailyTTL = 48 * time.Hour

func (c *Client) dailyKey(tenant string, day time.Time) string {
	return c.prefix + "daily:{" + tenant + "}:" + day.UTC().Format(time.DateOnly)
}

// CountMails adds n to the number of mails that were fetched for a tenant on
// the UTC day of now, over all replicas. The count is for fair use: when Redis
// is flushed it begins anew.
func (c *Client) CountMails(ctx context.Context, tenant string, n int, now time.Time) error {
	key := c.dailyKey(tenant, now)
	err := c.do(ctx, func(p redis.Pipeliner) {
		p.IncrBy(ctx, key, int64(n))
		p.Expire(ctx, key, dailyTTL)
	})
	if err != nil {
		return fmt.Errorf("counting mails of tenant %s: %w", tenant, err)
	}
	return nil
}

// MailsOn returns how many mails were counted for a tenant on the UTC day of now.
func (c *Client) MailsOn(ctx context.Context, tenant string, now time.Time) (int, error) {
	var count *redis.StringCmd
	err := c.do(ctx, func(p redis.Pipeliner) { count = p.Get(ctx, c.dailyKey(tenant, now)) })
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the mails of tenant %s today: %w", tenant, err)
	}
	n, err := count.Int()
	if err != nil {
		return 0, fmt.Errorf("reading the mails of tenant %s today: %w", tenant, err)
	}
	return n, nil
}
