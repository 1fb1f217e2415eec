package operation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/services/admin/admintest"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// leaving is the context of somebody who leaves after it was looked at so often.
type leaving struct {
	context.Context
	leave context.CancelFunc
	left  *atomic.Int64
}

func (l leaving) Done() <-chan struct{} {
	if l.left.Add(-1) == 0 {
		l.leave()
	}
	return l.Context.Done()
}

// Whenever whoever asked leaves: what is said to have failed was not done.
func TestAChangeThatWasMadeIsNotSaidToHaveFailed(t *testing.T) {
	t.Parallel()
	o := admintest.New(t)
	for what, change := range map[string]func(ctx context.Context, n int) error{
		"mailbox": func(ctx context.Context, n int) error {
			doc := fmt.Sprintf(`{"name":"Info","description":"%d","folders":["support"],"username":"info@acme.example","imap":{"host":"imap.acme.example"}}`, n)
			m, err := o.Desk.PutMailbox(ctx, o.Ann.Actor, &operation.PutMailbox{InMailbox: mailboxOf(o.Acme), Condition: operation.Condition{IfMatch: "*"}, Body: operation.MailboxJSON{RawMessage: json.RawMessage(doc)}})
			if err == nil && (m.Document.ID != "info" || len(m.Missing) > 0) {
				t.Errorf("%+v", m)
			}
			return err
		},
		"folder": func(ctx context.Context, n int) error {
			doc := fmt.Sprintf(`{"name":"Support","description":"%d","address":"support@acme.example"}`, n)
			f, err := o.Desk.PutFolder(ctx, o.Ann.Actor, &operation.PutFolder{InFolder: operation.InFolder{InTenant: operation.InTenant{Tenant: "acme"}, ID: "support"}, Condition: operation.Condition{IfMatch: "*"}, Body: operation.FolderJSON{RawMessage: json.RawMessage(doc)}})
			if err == nil && (len(f.Mailboxes) != 1 || f.Mailboxes[0] != "info") {
				t.Errorf("%+v", f)
			}
			return err
		},
	} {
		var done, refused int
		for n := 1; done < 3 && n < 500; n++ {
			before := revision(t, o.Control)
			ctx, cancel := context.WithCancel(t.Context())
			left := &atomic.Int64{}
			left.Store(int64(n))
			err := change(leaving{ctx, cancel, left}, n)
			cancel()
			switch after := revision(t, o.Control); {
			case err == nil:
				done++
			case after != before:
				t.Errorf("%s: it is said to have failed (%v), but it was done", what, err)
				done++
			default:
				refused++
			}
		}
		if done == 0 || refused == 0 {
			t.Errorf("%s: done %d times, refused %d times", what, done, refused)
		}
	}
}

func revision(t *testing.T, c *control.Store) int64 {
	t.Helper()
	n, err := c.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}
