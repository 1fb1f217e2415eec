package persister

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/schemas"
)

// announce asks for the disposal of committed mails and tells the database's
// consumers of them. It returns when all of it is stored in its streams, or when
// ctx is done while these take nothing.
// A mail that was there already is announced again: whoever was first may have
// died before it could.
func (l *lane) announce(ctx context.Context, works []*work) error {
	if len(works) == 0 {
		return nil
	}
	now := time.Now().UTC()
	publications := disposals(works, now)
	for _, w := range works {
		publications = append(publications, events(w, now)...)
	}
	return l.conn.PublishUntil(ctx, process.Hard(ctx), publications)
}

// events tells what is stored, which is not what was decided this time when the
// mail was there already.
func events(w *work, now time.Time) []bus.Publication {
	key, a := w.event.Key(), w.event.MailAttributes
	if w.outcome.Verdict == schemas.Invalid {
		return []bus.Publication{{
			Subject: schemas.SubjectRejected(key.Tenant, key.Mailbox), MsgID: "i:" + w.outcome.MailID,
			Event: schemas.MailRejected{
				Attributes: schemas.NewAttributes(schemas.TypeMailRejected, key.Source(), key.Subject(), w.outcome.MailID, schemas.ContentJSON, now),
				Data: schemas.Rejected{
					MailID: w.outcome.MailID, Tenant: key.Tenant, Mailbox: key.Mailbox, UIDValidity: key.UIDValidity, UID: key.UID,
					Reason: w.outcome.Reason, Size: a.Size, PersistedAt: now,
				},
			},
		}}
	}
	out := make([]bus.Publication, 0, len(w.outcome.Items))
	for _, item := range w.outcome.Items {
		out = append(out, bus.Publication{
			Subject: schemas.SubjectPersisted(key.Tenant, item.Folder), MsgID: "p:" + item.ID,
			Event: schemas.MailPersisted{
				Attributes: schemas.NewAttributes(schemas.TypeMailPersisted, key.Source(), key.Subject(), item.ID, schemas.ContentJSON, now),
				Data: schemas.Persisted{
					MailID: w.outcome.MailID, ItemID: item.ID, Tenant: key.Tenant, Mailbox: key.Mailbox, Folder: item.Folder,
					UIDValidity: key.UIDValidity, UID: key.UID, Lane: a.Lane, Size: a.Size,
					Bounce: w.mail.Message.Bounce, AutoReply: w.mail.Message.AutoReply, PersistedAt: now,
				},
			},
		})
	}
	return out
}

// disposals asks for the disposal of mails. The action follows what is stored. A
// mail that is recorded as disposed of is asked for like the others: it came, so
// it may be in the inbox again.
func disposals(works []*work, now time.Time) []bus.Publication {
	mails := make([]mailstore.Overdue, len(works))
	for i, w := range works {
		mails[i] = mailstore.Overdue{Key: w.event.Key(), Origin: w.event.Origin, Verdict: w.outcome.Verdict}
	}
	return ordersOf(mails, now)
}

// ordersOf groups mails by mailbox, origin, UIDVALIDITY and action, one event each.
func ordersOf(mails []mailstore.Overdue, now time.Time) []bus.Publication {
	type group struct {
		tenant, mailbox string
		origin          string
		uidValidity     uint32
		action          schemas.Action
	}
	uids := map[group][]uint32{}
	for _, m := range mails {
		k := m.Key
		g := group{k.Tenant, k.Mailbox, m.Origin, k.UIDValidity, schemas.ActionPersisted}
		if m.Verdict == schemas.Invalid {
			g.action = schemas.ActionInvalid
		}
		uids[g] = append(uids[g], k.UID)
	}
	var out []bus.Publication
	for g, all := range uids {
		slices.Sort(all)
		for chunk := range slices.Chunk(slices.Compact(all), schemas.MaxDisposeUIDs) {
			out = append(out, disposal(schemas.Dispose{Tenant: g.tenant, Mailbox: g.mailbox, UIDValidity: g.uidValidity, Origin: g.origin, Action: g.action, UIDs: chunk}, now))
		}
	}
	slices.SortFunc(out, func(a, b bus.Publication) int { return cmp.Compare(a.Subject, b.Subject) })
	return out
}

func disposal(d schemas.Dispose, now time.Time) bus.Publication {
	first := schemas.MailKey{Tenant: d.Tenant, Mailbox: d.Mailbox, UIDValidity: d.UIDValidity, UID: d.UIDs[0]}
	// Unique by content and moment: a repeated publish is absorbed, a repeated
	// wish to dispose is not.
	id := fmt.Sprintf("%s.%d.%s", first.ID(), len(d.UIDs), strconv.FormatInt(now.UnixNano(), 36))
	return bus.Publication{
		Subject: schemas.SubjectDispose(d.Tenant, d.Mailbox), MsgID: "d:" + id,
		Event: schemas.MailDispose{
			Attributes: schemas.NewAttributes(schemas.TypeMailDispose, first.Source(), strconv.FormatUint(uint64(d.UIDValidity), 10), id, schemas.ContentJSON, now),
			Data:       d,
		},
	}
}

// release asks the disposer to forget that a mail is in flight, so that it is
// fetched again.
func (l *lane) release(ctx context.Context, w *work) error {
	k := w.event.Key()
	l.logger.Info("blob is gone; mail is fetched again", zap.String("mail_id", k.ID()), zap.String("tenant", k.Tenant), zap.String("mailbox", k.Mailbox))
	d := schemas.Dispose{Tenant: k.Tenant, Mailbox: k.Mailbox, UIDValidity: k.UIDValidity, Action: schemas.ActionRelease, UIDs: []uint32{k.UID}}
	return l.conn.PublishUntil(ctx, process.Hard(ctx), []bus.Publication{disposal(d, time.Now().UTC())})
}

// dropBlob removes the claim-check object of a mail that is committed and
// announced. What is left behind ends with the bucket's TTL.
func (l *lane) dropBlob(ctx context.Context, w *work) {
	if w.event.DataRef == "" {
		return
	}
	if err := l.blobs.Delete(ctx, w.event.DataRef); err != nil {
		l.logger.Debug("deleting blob", zap.Error(err), zap.String("blob", w.event.DataRef))
	}
}
