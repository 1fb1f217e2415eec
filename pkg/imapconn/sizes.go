package imapconn

import (
	"context"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"go.uber.org/zap"
)

// MailInfo is what is known of a mail before it is downloaded.
type MailInfo struct {
	UID          uint32
	Size         int64     // RFC822.SIZE, bytes: what the server says, which need not be so; 0: it does not say
	InternalDate time.Time // zero: the server does not say
}

// Sizes asks for size and arrival of mails in the selected folder. Mails that
// are gone are left out; the order is the server's.
func (c *Conn) Sizes(ctx context.Context, uids []uint32) ([]MailInfo, error) {
	uids = normalize(uids)
	infos := make([]MailInfo, 0, len(uids))
	if len(uids) > 0 {
		if err := c.refresh(ctx, uids[len(uids)-1]); err != nil {
			return nil, err
		}
	}
	for _, part := range chunks(uids, 1000) {
		some, err := c.sizes(ctx, part)
		if err != nil && !c.noDates && ctx.Err() == nil && !c.Alive() {
			// There are servers that fall over a mail without a proper date.
			c.log.Warn("listing with dates ended the connection, trying without", zap.Error(err))
			if err := c.redial(ctx); err != nil {
				return nil, err
			}
			c.noDates = true
			some, err = c.sizes(ctx, part)
		}
		if err != nil {
			return nil, err
		}
		infos = append(infos, some...)
	}
	return infos, nil
}

func (c *Conn) sizes(ctx context.Context, uids []uint32) ([]MailInfo, error) {
	want := make(map[uint32]bool, len(uids))
	for _, uid := range uids {
		want[uid] = true
	}
	var infos []MailInfo
	err := c.stream(ctx, "asking for the sizes of mails", func() error {
		cmd := c.client.Fetch(uidSet(uids), &imap.FetchOptions{UID: true, RFC822Size: true, InternalDate: !c.noDates})
		for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
			var info MailInfo
			for item := msg.Next(); item != nil; item = msg.Next() {
				switch item := item.(type) {
				case imapclient.FetchItemDataUID:
					info.UID = uint32(item.UID)
				case imapclient.FetchItemDataRFC822Size:
					info.Size = item.Size
				case imapclient.FetchItemDataInternalDate:
					info.InternalDate = item.Time
				}
			}
			if want[info.UID] {
				delete(want, info.UID)
				infos = append(infos, info)
			}
		}
		return cmd.Close()
	})
	return infos, err
}

// redial replaces a connection that ended and selects the same folder again.
func (c *Conn) redial(ctx context.Context) error {
	was := c.selected
	c.guard.kill(errClosed)
	<-c.client.Closed()
	if err := c.dial(ctx); err != nil {
		return err
	}
	if was.name == "" {
		return nil
	}
	if _, err := c.selectName(ctx, was.name); err != nil {
		return err
	}
	return c.fence(was.uidvalidity)
}
