package fetcher

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// limit sets the tenant's limit of mail per day.
func (r *rig) limit(perDay int) {
	r.t.Helper()
	kv, err := r.Conn.JetStream().KeyValue(r.t.Context(), schemas.BucketConfig)
	if err != nil {
		r.t.Fatal(err)
	}
	entry, err := kv.Get(r.t.Context(), config.TenantRecordKey(tenant))
	if err != nil {
		r.t.Fatal(err)
	}
	var record config.TenantRecord
	if err := json.Unmarshal(entry.Value(), &record); err != nil {
		r.t.Fatal(err)
	}
	record.Document.Limits.MailPerDay = perDay
	raw, err := json.Marshal(record)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := kv.Put(r.t.Context(), config.TenantRecordKey(tenant), raw); err != nil {
		r.t.Fatal(err)
	}
}

func TestTenantThatHadItsMailOfTheDayIsToldSo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.limit(3)
	r.server.Deliver("u1", imaptest.Messages(1, 5, 500)...)
	r.start()
	s := r.awaitStatus(schemas.StatusThrottled)
	if !strings.Contains(s.Detail, "limits.mail_per_day") || s.NextAttempt == nil || time.Until(*s.NextAttempt) > midnight(time.Now())+time.Minute {
		t.Errorf("state = %+v", s)
	}
	if n := r.fetched.Len(); n != 3 {
		t.Errorf("%d mails were fetched; want 3", n)
	}
}
