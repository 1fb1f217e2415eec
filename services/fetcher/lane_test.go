package fetcher

import (
	"errors"
	"fmt"
	"testing"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/imapconn"
)

func claims(b *backlog, batches ...[]imapconn.MailInfo) *lane {
	l := &lane{session: &session{backlog: b}, open: map[uint32]*claim{}}
	for i, batch := range batches {
		for _, m := range batch {
			l.open[m.UID] = &claim{info: m, batch: i + 1}
		}
	}
	return l
}

func TestFailedTransferCountsAgainstTheMailsThatWereOnTheirWay(t *testing.T) {
	t.Parallel()
	batches := [][]imapconn.MailInfo{{mail(1, 1), mail(2, 1), mail(3, 1)}, {mail(4, 1)}, {mail(5, 1)}}
	tests := []struct {
		name     string
		err      error
		came     []uint32
		suspects []uint32
		began    bool
	}{
		{"first batch", transferFailure(errors.New("lost")), nil, []uint32{1, 2, 3}, false},
		{"without those that came", transferFailure(errors.New("lost")), []uint32{1, 2}, []uint32{3}, true},
		{"first unfinished batch", transferFailure(errors.New("lost")), []uint32{1, 2, 3}, []uint32{4}, false},
		{"nothing was on its way", transferFailure(errors.New("lost")), []uint32{1, 2, 3, 4, 5}, nil, false},
		{"could not connect", fault.Unavailable(errors.New("away")), nil, nil, false},
		{"throttled", transferFailure(kindError(imapconn.KindThrottled)), []uint32{1}, nil, false},
		{"object store full", transferFailure(fmt.Errorf("taking mail: %w", &unstoredError{errors.New("full")})), nil, nil, false},
		{"stopped", nil, nil, nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l := claims(newTestBacklog(50), batches...)
			for _, uid := range test.came {
				l.came(uid)
			}
			suspects, others, began := l.release(test.err)
			wantUIDs(t, "suspects", suspects, test.suspects...)
			if began != test.began {
				t.Errorf("the batch had begun to come: %v", began)
			}
			if len(suspects)+len(others) != 5 || len(l.open) != 0 {
				t.Errorf("%d suspects and %d others of 5; %d kept", len(suspects), len(others), len(l.open))
			}
		})
	}
}

func TestMailThatIsLargerThanAnnouncedBecomesOversize(t *testing.T) {
	t.Parallel()
	for name, uid := range map[string]uint32{"named": 1, "alone and not named": 0} {
		b := newTestBacklog(50)
		fill(b, mail(1, largeSize))
		l := claims(b, b.take(large))
		l.giveBack(transferFailure(&imapconn.TooLargeError{UID: uid, Size: 9_000_000, Limit: 7_000_000}))
		wantUIDs(t, name, b.take(oversize), 1)
	}
}
