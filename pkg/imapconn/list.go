package imapconn

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/emersion/go-imap/v2"
)

// ListOptions choose the mails of a listing.
type ListOptions struct {
	Since time.Time // only mails that arrived (INTERNALDATE) at or after it; zero: all
	After uint32    // only UIDs above it
}

// List returns the UIDs of the mails in the selected folder that are not marked
// \Deleted, ascending. With Since, mails of which the server tells no arrival
// that can be understood are among them.
func (c *Conn) List(ctx context.Context, opts ListOptions) ([]uint32, error) {
	// A mail that arrives from here on is announced again.
	select {
	case <-c.changed:
	default:
	}
	criteria := imap.SearchCriteria{NotFlag: []imap.Flag{imap.FlagDeleted}}
	if opts.After > 0 {
		criteria.UID = []imap.UIDSet{{imap.UIDRange{Start: imap.UID(opts.After)}}} // n:*
	}
	if !opts.Since.IsZero() {
		criteria.Not = notBefore(opts.Since, -1)
	}
	uids, err := c.search(ctx, "listing the mails", &criteria)
	if err != nil {
		return nil, err
	}
	uids = slices.DeleteFunc(uids, func(uid uint32) bool { return uid <= opts.After })
	if opts.Since.IsZero() || len(uids) == 0 {
		return uids, nil
	}
	return c.since(ctx, uids, criteria, opts.Since)
}

// since drops the mails that arrived before t: those of the days around it are
// looked at one by one.
func (c *Conn) since(ctx context.Context, uids []uint32, criteria imap.SearchCriteria, t time.Time) ([]uint32, error) {
	criteria.Not = notBefore(t, 2)
	sure, err := c.search(ctx, "listing the mails", &criteria)
	if err != nil {
		return nil, err
	}
	doubtful := slices.DeleteFunc(slices.Clone(uids), func(uid uint32) bool {
		_, found := slices.BinarySearch(sure, uid)
		return found
	})
	infos, err := c.Sizes(ctx, doubtful)
	if err != nil {
		return nil, err
	}
	early := make(map[uint32]bool)
	for _, info := range infos {
		early[info.UID] = !info.InternalDate.IsZero() && info.InternalDate.Before(t.Truncate(time.Second))
	}
	return slices.DeleteFunc(uids, func(uid uint32) bool { return early[uid] }), nil
}

// notBefore looks for mails that arrived on the day that is so many days from t,
// or later, by the server's clock (RFC 9051, section 6.4.4). SINCE would leave
// out the mails that have no proper date.
func notBefore(t time.Time, days int) []imap.SearchCriteria {
	return []imap.SearchCriteria{{Before: t.UTC().AddDate(0, 0, days)}}
}

// Exists returns which of the mails are still in the selected folder, ascending,
// whether marked \Deleted or not.
func (c *Conn) Exists(ctx context.Context, uids []uint32) ([]uint32, error) {
	return c.existing(ctx, uids, imap.SearchCriteria{})
}

func (c *Conn) existing(ctx context.Context, uids []uint32, criteria imap.SearchCriteria) ([]uint32, error) {
	var found []uint32
	if uids = normalize(uids); len(uids) == 0 {
		return nil, nil
	}
	// Without it a server may go on to show mails that are gone.
	if err := c.do(ctx, "asking for news", c.opts.CommandTimeout, c.noop); err != nil {
		return nil, err
	}
	for _, part := range chunks(uids, len(uids)) {
		criteria.UID = []imap.UIDSet{uidSet(part)}
		some, err := c.search(ctx, "looking for mails", &criteria)
		if err != nil {
			return nil, err
		}
		for _, uid := range some {
			if _, asked := slices.BinarySearch(part, uid); asked {
				found = append(found, uid)
			}
		}
	}
	return found, nil
}

// search returns the UIDs that a UID SEARCH finds, ascending.
func (c *Conn) search(ctx context.Context, op string, criteria *imap.SearchCriteria) ([]uint32, error) {
	var opts *imap.SearchOptions
	if c.caps.Has(imap.CapESearch) {
		opts = &imap.SearchOptions{ReturnAll: true}
	}
	var uids []uint32
	err := c.do(ctx, op, c.opts.CommandTimeout, func() error {
		data, err := c.client.UIDSearch(criteria, opts).Wait()
		if err != nil {
			return err
		}
		set, _ := data.All.(imap.UIDSet)
		var ok bool
		if uids, ok = expand(set, maxUIDs); !ok {
			return &Error{Op: op + " of " + c.target.Name(), Kind: KindProtocol, Err: errors.New("server lists more mails than there can be")}
		}
		return nil
	})
	uids = normalize(uids)
	if len(uids) > 0 {
		c.selected.highest = max(c.selected.highest, uids[len(uids)-1])
	}
	return uids, err
}
