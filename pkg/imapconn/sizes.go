package imapconn

import (
	"context"
	"slices"
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
// are gone are left out; the order is the server's. A mail of which the server
// refuses to tell, or over which it ends the connection, is told of with its UID
// alone: its download decides.
func (c *Conn) Sizes(ctx context.Context, uids []uint32) ([]MailInfo, error) {
	uids = normalize(uids)
	infos := make([]MailInfo, 0, len(uids))
	if len(uids) > 0 {
		if err := c.refresh(ctx, uids[len(uids)-1]); err != nil {
			return nil, err
		}
	}
	trouble := maxTrouble
	for _, part := range chunks(uids, 1000) {
		some, err := c.sizesOf(ctx, part, &trouble)
		if err != nil {
			return nil, err
		}
		infos = append(infos, some...)
	}
	return infos, nil
}

// One mail that a server cannot tell the size of is found with ten refusals;
// what goes on for much longer is not about single mails.
const (
	maxTrouble = 256 // refusals
	lostCosts  = 8   // refusals that a lost connection counts for
)

// sizesOf asks for the sizes of a part, in ever smaller pieces if it is refused
// or ends the connection: one mail that the server cannot tell of must not keep
// the others back. That one is told of without a size. trouble is what may still
// go wrong.
func (c *Conn) sizesOf(ctx context.Context, uids []uint32, trouble *int) ([]MailInfo, error) {
	infos, err := c.sizes(ctx, uids)
	if err == nil || ctx.Err() != nil || KindOf(err) == KindThrottled {
		return infos, err
	}
	lost, withoutDates := !c.Alive(), false
	if *trouble--; lost {
		*trouble -= lostCosts - 1
	}
	if *trouble < 0 {
		return nil, err
	}
	if lost {
		c.log.Warn("asking for sizes ended the connection, trying again", zap.Error(err), zap.Int("mails", len(uids)))
		if err := c.redial(ctx); err != nil {
			return nil, err
		}
		// There are servers that fall over a mail without a proper date.
		withoutDates, c.noDates = !c.noDates, true
	}
	// What was told before the failure stands, but for a line that was cut.
	infos = slices.DeleteFunc(infos, func(info MailInfo) bool { return info.Size == 0 })
	left := without(uids, infos)
	pieces := [][]uint32{left}
	switch {
	case withoutDates || len(left) == 0:
	case len(left) == 1:
		c.log.Warn("server does not tell the size of a mail", zap.Uint32("uid", left[0]), zap.Error(err))
		return append(infos, MailInfo{UID: left[0]}), nil
	default:
		pieces = [][]uint32{left[:len(left)/2], left[len(left)/2:]}
	}
	for _, piece := range pieces {
		if len(piece) == 0 {
			continue
		}
		some, err := c.sizesOf(ctx, piece, trouble)
		if err != nil {
			return nil, err
		}
		infos = append(infos, some...)
	}
	return infos, nil
}

// without returns the UIDs that infos do not tell of.
func without(uids []uint32, infos []MailInfo) []uint32 {
	told := make(map[uint32]bool, len(infos))
	for _, info := range infos {
		told[info.UID] = true
	}
	return slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool { return told[uid] })
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
	if _, err := c.selectName(ctx, was.name, was.readOnly); err != nil {
		return err
	}
	return c.fence(was.uidvalidity)
}
