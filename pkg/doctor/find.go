package doctor

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas/config"
)

const (
	pause   = 3 * time.Second // between two looks at the inbox, at most
	mostNew = 200             // mails that are looked at for a probe, at once
)

// await waits until all probes arrived, for d at most.
func (r *run) await(ctx context.Context, d time.Duration) error {
	deadline := time.Now().Add(d)
	for round := 1; ; round++ {
		if err := r.look(ctx, r.req.Document.Inbox, r.inbox.UIDNext-1); err != nil {
			return err
		}
		taken := r.askPipeline(ctx)
		left := time.Until(deadline)
		if left <= 0 || !r.missing() {
			return r.lookElsewhere(ctx)
		}
		if taken || round%3 == 0 && r.req.Document.Enabled {
			// The pipeline may have taken it away.
			if err := r.lookElsewhere(ctx); err != nil || !r.missing() {
				return err
			}
		}
		if _, err := r.conn.Wait(ctx, min(left, pause)); err != nil {
			return err
		}
	}
}

// askPipeline asks which probes the pipeline has stored that were not found. It
// reports whether some were this mailbox's own that are still to be found, on
// their way to the folder for invalid mail.
func (r *run) askPipeline(ctx context.Context) (underWay bool) {
	if r.req.Taken == nil {
		return false
	}
	for _, p := range r.probes {
		if p.refused != nil || p.folder != "" {
			continue
		}
		taker, err := r.req.Taken(ctx, p.id)
		if err != nil {
			r.log.Warn("asking for test mails in the messaging database", zap.Error(err))
			return underWay
		}
		p.taker = taker
		switch {
		case taker.ID == "":
		case taker.ID == r.req.Document.ID && r.req.Document.InvalidMethod != config.MethodDelete:
			underWay = true
		case p.arrived.IsZero():
			p.arrived = time.Now()
		}
	}
	return underWay
}

// elsewhere reports whether a probe came to another mailbox of the tenant.
func (r *run) elsewhere(p *probe) bool {
	return p.folder == "" && p.taker.ID != "" && p.taker.ID != r.req.Document.ID
}

// missing reports whether a probe has not arrived.
func (r *run) missing() bool {
	return slices.ContainsFunc(r.probes, func(p *probe) bool { return p.refused == nil && p.arrived.IsZero() })
}

// taken reports whether a probe arrived and was gone before it could be removed.
func (r *run) taken() bool {
	return slices.ContainsFunc(r.probes, func(p *probe) bool { return !p.arrived.IsZero() && p.folder == "" })
}

// look finds probes in a folder, which is selected then, among the mails above a
// UID, and removes them.
func (r *run) look(ctx context.Context, folder string, after uint32) error {
	selected, err := r.conn.Select(ctx, folder)
	if err != nil {
		return err
	}
	uids, err := r.conn.List(ctx, imapconn.ListOptions{After: after})
	if err != nil {
		return err
	}
	var infos []imapconn.MailInfo
	for _, uid := range uids[max(0, len(uids)-mostNew):] {
		infos = append(infos, imapconn.MailInfo{UID: uid})
	}
	var found []uint32
	var probes []*probe
	_, err = r.conn.FetchHeaders(ctx, infos, 16<<10, func(info imapconn.MailInfo, raw []byte) error {
		header, _, _ := message.ScanHeader(raw)
		for _, p := range r.probes {
			if strings.Contains(header.Get("Message-ID"), strings.Trim(p.id, "<>")) && !p.removed {
				p.folder = folder
				if p.arrived.IsZero() {
					p.arrived = time.Now()
				}
				found = append(found, info.UID)
				probes = append(probes, p)
			}
		}
		return nil
	})
	if err != nil || len(found) == 0 {
		return err
	}
	return r.remove(ctx, selected, found, probes)
}

// remove takes probes out of the selected folder, into a throw-away folder that
// is deleted with them. Where mail cannot be moved safely they stay.
func (r *run) remove(ctx context.Context, selected imapconn.Inbox, uids []uint32, probes []*probe) error {
	if !r.conn.Has("MOVE") && !r.conn.Has("UIDPLUS") || selected.ReadOnly {
		return nil
	}
	moved, err := r.conn.Delete(ctx, selected.UIDValidity, uids, r.throwAway())
	if err != nil {
		return err
	}
	// Without UIDPLUS nobody tells for certain which mails were moved.
	ours := moved.Expunged == len(uids) || !r.conn.Has("UIDPLUS") && moved.Count == len(uids)
	for _, p := range probes {
		if p.removed = ours; !ours {
			p.folder = "" // somebody, such as the pipeline, was quicker: it is elsewhere
		}
	}
	return nil
}

// lookElsewhere looks for probes where they may have got to: the pipeline takes
// them to the folder for invalid mail, a suspicious server to one for junk. The
// watched folder is selected in the end.
func (r *run) lookElsewhere(ctx context.Context) error {
	if !r.missing() && !r.taken() {
		return nil
	}
	names, err := r.conn.Folders(ctx, mostFolders)
	if err != nil {
		return err
	}
	for _, name := range names {
		junk := slices.ContainsFunc([]string{"Junk", "Spam", "Junk E-mail", "Junk Email", "Bulk Mail", "[Gmail]/Spam", "Bulk"}, func(j string) bool { return strings.EqualFold(j, name) })
		if !junk && name != r.req.Document.InvalidFolder {
			continue
		}
		folder, err := r.conn.Examine(ctx, name)
		if err != nil {
			return err
		}
		// Its own is among the last mails.
		if err := r.look(ctx, name, folder.UIDNext-min(folder.UIDNext, mostNew)); err != nil {
			return err
		}
	}
	_, err = r.conn.Select(ctx, r.req.Document.Inbox)
	return err
}

// removeLate has a last look for probes that came after nobody waited any more.
func (r *run) removeLate(ctx context.Context) {
	if err := r.look(ctx, r.req.Document.Inbox, r.inbox.UIDNext-1); err != nil {
		r.log.Warn("looking for test mails that came late", zap.Error(err))
	}
}
