package imapconn

import (
	"context"
	"io"
	"slices"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

// FetchHeaders asks for the header sections of mails, at most limit bytes of
// each: no byte of a body crosses the wire. each is called for every one that
// comes, on the caller's goroutine; the slice is the callee's. Its error is
// returned after the rest was skipped. missing are the UIDs of which none came.
func (c *Conn) FetchHeaders(ctx context.Context, infos []MailInfo, limit int, each func(MailInfo, []byte) error) (missing []uint32, err error) {
	want := make(map[uint32]MailInfo, len(infos))
	uids := make([]uint32, 0, len(infos))
	for _, info := range infos {
		want[info.UID] = info
		uids = append(uids, info.UID)
	}
	section := &imap.FetchItemBodySection{
		Specifier: imap.PartSpecifierHeader,
		Peek:      true,
		Partial:   &imap.SectionPartial{Size: int64(limit)},
	}
	var refused error
	if uids = normalize(uids); len(uids) > 0 {
		if err := c.refresh(ctx, uids[len(uids)-1]); err != nil {
			return nil, err
		}
	}
	for _, part := range chunks(uids, 100) {
		err := c.stream(ctx, "downloading headers", func() error {
			cmd := c.client.Fetch(uidSet(part), &imap.FetchOptions{UID: true, BodySection: []*imap.FetchItemBodySection{section}})
			for msg := cmd.Next(); msg != nil; msg = cmd.Next() {
				uid, header, err := readHeader(msg, limit)
				info, wanted := want[uid]
				if err != nil {
					return err // the connection ended; go-imap must not be asked for more
				}
				if !wanted || header == nil {
					continue
				}
				delete(want, uid)
				if refused == nil {
					refused = each(info, header)
				}
			}
			return cmd.Close()
		})
		if err == nil {
			err = refused
		}
		if err != nil {
			return nil, err
		}
	}
	for uid := range want {
		missing = append(missing, uid)
	}
	slices.Sort(missing)
	return missing, nil
}

func readHeader(msg *imapclient.FetchMessageData, limit int) (uid uint32, header []byte, err error) {
	for item := msg.Next(); item != nil; item = msg.Next() {
		switch item := item.(type) {
		case imapclient.FetchItemDataUID:
			uid = uint32(item.UID)
		case imapclient.FetchItemDataBodySection:
			if item.Literal == nil {
				continue
			}
			// A server that does not know <0.n> sends it all.
			size := min(item.Literal.Size(), int64(limit))
			header = make([]byte, size)
			if _, err = io.ReadFull(item.Literal, header); err != nil {
				return uid, nil, err
			}
		}
	}
	return uid, header, nil
}
