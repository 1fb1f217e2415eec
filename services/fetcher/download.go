package fetcher

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strconv"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

const (
	// inlineLimit is the largest mail that travels in its message; a larger one
	// travels as a claim check.
	inlineLimit = schemas.MaxInline
	// headerLimit caps the header section of a claim check and of an oversize mail.
	headerLimit = 64 << 10
	// markTime is how long a mail counts as in flight. It is longer than all
	// retries together; after it, a mail that is still in the inbox is fetched again.
	markTime = 6 * time.Hour
)

// A download is a mail, or the header section of an oversize one, that was read
// from the mail server and is not yet safe in its stream.
type download struct {
	info      imapconn.MailInfo
	data      []byte // the mail, or its header section when blob or reason is set
	blob      string
	reason    schemas.Reason
	size      int64
	sum       string
	fetchedAt time.Time
	held      int64 // bytes of memory
}

// read takes one body off the connection, counting and hashing it on the way.
func (l *lane) read(ctx context.Context, info imapconn.MailInfo, body io.Reader) (*download, error) {
	d := &download{info: info, fetchedAt: time.Now().UTC(), size: info.Size}
	sum := sha256.New()
	r := io.TeeReader(body, sum)
	var err error
	if info.Size <= inlineLimit {
		d.data = make([]byte, info.Size)
		_, err = io.ReadFull(r, d.data)
	} else {
		err = l.readIntoBlob(ctx, d, r)
	}
	if err != nil {
		return nil, fmt.Errorf("downloading %s: %w", l.key(info.UID), err)
	}
	d.sum = hexSum(sum)
	l.metrics.bytes.Add(float64(d.size))
	return d, nil
}

// readIntoBlob streams a body into the object store and keeps its header section.
func (l *lane) readIntoBlob(ctx context.Context, d *download, r io.Reader) error {
	head := make([]byte, headerLimit)
	n, err := io.ReadFull(r, head)
	if err != nil {
		return err
	}
	d.data = message.HeaderSection(head[:n])
	d.blob = fmt.Sprintf("%s.%d", l.key(d.info.UID).ID(), d.fetchedAt.UnixMilli())
	stored, err := l.blobs.Put(ctx, d.blob, io.MultiReader(bytes.NewReader(head[:n]), r))
	if err != nil {
		return &unstoredError{err} // unless it was the reader that failed: then Fetch tells why
	}
	if stored != d.size {
		return fmt.Errorf("storing blob %s: %d of %d bytes arrived", d.blob, stored, d.size)
	}
	return nil
}

// headers downloads the header sections of the oversize mails that wait.
// Not one byte of their bodies is asked for.
func (l *lane) headers(taking, hard context.Context, conn *imapconn.Conn, publications *errgroup.Group) error {
	for taking.Err() == nil {
		batch := l.take(oversize)
		if len(batch) == 0 {
			return nil
		}
		var done []*download
		missing, err := conn.FetchHeaders(hard, batch, headerLimit, func(info imapconn.MailInfo, header []byte) (err error) {
			defer l.recovered(&err)
			sum := sha256.Sum256(header)
			done = append(done, &download{
				info: info, data: bytes.Clone(header), reason: schemas.ReasonOversize, size: info.Size,
				sum: hex.EncodeToString(sum[:]), fetchedAt: time.Now().UTC(),
			})
			l.came(info.UID)
			return nil
		})
		if err != nil {
			publications.Go(func() error { return l.publish(hard, done) })
			return transferFailure(fmt.Errorf("downloading header sections from the inbox of %s: %w", l.name(), err))
		}
		l.missed(batch, missing)
		publications.Go(func() error { return l.publish(hard, done) })
	}
	return nil
}

// publish puts downloads into their stream and, when they are safe there, marks
// them in flight. In this order a crash repeats a download; in the other it
// would hide a mail until its mark ends.
func (l *lane) publish(ctx context.Context, downloads []*download) error {
	if len(downloads) == 0 {
		return nil
	}
	defer func() {
		for _, d := range downloads {
			l.memory.Release(d.held)
		}
	}()
	publications := make([]bus.Publication, len(downloads))
	uids := make([]uint32, len(downloads))
	for i, d := range downloads {
		publications[i] = l.publication(d)
		uids[i] = d.info.UID
	}
	marks := l.marks()
	if err := l.conns[l.kind.lane()].PublishAll(ctx, publications); err != nil {
		return fmt.Errorf("publishing mail of %s: %w", l.name(), err)
	}
	if l.marks() != marks {
		// Some of it may have been in the streams that are gone: marked in the
		// epoch of the new ones it would count as in flight until its mark ends.
		l.putBack(downloads)
		return nil
	}
	if err := l.redis.Mark(ctx, marks, l.inbox.UIDValidity, uids, markTime); err != nil {
		// Without its mark a mail may be fetched once more, and is recognised then.
		l.logger.Warn("marking mail in flight", zap.Error(err), zap.Int("mails", len(uids)))
	}
	l.count(ctx, len(uids))
	l.settled(uids)
	l.backlog.published(uids)
	l.published.Add(int64(len(uids)))
	l.metrics.fetched.Add(float64(len(uids)))
	return nil
}

// putBack lets mails be downloaded again, without fault of theirs.
func (l *lane) putBack(downloads []*download) {
	infos := make([]imapconn.MailInfo, len(downloads))
	uids := make([]uint32, len(downloads))
	for i, d := range downloads {
		infos[i], uids[i] = d.info, d.info.UID
	}
	l.settled(uids)
	l.backlog.putBack(infos)
}

func (l *lane) publication(d *download) bus.Publication {
	key := l.key(d.info.UID)
	generation := d.fetchedAt.UnixMilli()
	content := schemas.ContentMail
	if d.blob != "" || d.reason != "" {
		content = schemas.ContentMailHeader
	}
	return bus.Publication{
		Subject: schemas.SubjectFetched(l.kind.lane(), key.Tenant, key.Mailbox),
		MsgID:   "f:" + key.ID() + ":" + strconv.FormatInt(generation, 10),
		Event: schemas.MailFetched{
			Attributes: schemas.NewAttributes(schemas.TypeMailFetched, key.Source(), key.Subject(), key.ID(), content, d.fetchedAt),
			MailAttributes: schemas.MailAttributes{
				Tenant: key.Tenant, Mailbox: key.Mailbox, UIDValidity: key.UIDValidity, UID: key.UID,
				Lane: l.kind.lane(), Size: d.size, SHA256: d.sum, Reason: d.reason, DataRef: d.blob, Origin: l.origin(),
				InternalDate: d.info.InternalDate, FetchedAt: d.fetchedAt, Generation: generation,
			},
			Mail: d.data,
		},
	}
}

func hexSum(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
