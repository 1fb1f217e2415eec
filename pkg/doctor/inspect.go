package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

const (
	usualNewest = 50
	mostNewest  = 500
	headerLimit = 64 << 10 // bytes of a header section, as the fetcher takes of large mail
	maxText     = 300      // runes of a sender or subject
)

func (r *run) dryRun(ctx context.Context, opts DryRunOptions) (DryRun, error) {
	const title = "Look at the mails in the watched folder"
	since, err := opts.since()
	if err != nil {
		return DryRun{}, &StepError{Step{Title: title, Outcome: Failed, Answer: err.Error(), Remedy: "Give all, new or a date (YYYY-MM-DD)."}}
	}
	if _, err := r.conn.Examine(ctx, r.req.Document.Inbox); err != nil {
		return DryRun{}, r.trouble(ctx, "Open the watched folder", err)
	}
	all, err := r.conn.List(ctx, imapconn.ListOptions{})
	if err != nil {
		return DryRun{}, r.trouble(ctx, title, err)
	}
	wanted := all
	switch {
	case opts.Since == config.ImportNew && opts.EnabledAt.IsZero():
		wanted = nil // what is there now is not new
	case !since.IsZero():
		if wanted, err = r.conn.List(ctx, imapconn.ListOptions{Since: since}); err != nil {
			return DryRun{}, r.trouble(ctx, title, err)
		}
	}
	out := DryRun{Total: len(all), WouldImport: len(wanted), LeftAlone: max(0, len(all)-len(wanted)), Mails: []DryRunMail{}, Summary: []DryRunCount{}}
	newest := min(cmp.Or(max(opts.Newest, 0), usualNewest), mostNewest, len(wanted))
	if out.Mails, err = r.inspect(ctx, wanted[len(wanted)-newest:], opts); err != nil {
		return DryRun{}, r.trouble(ctx, title, err)
	}
	out.Summary = summary(out.Mails)
	return out, nil
}

// since returns the oldest arrival that is imported; zero: all.
func (o DryRunOptions) since() (time.Time, error) {
	switch o.Since {
	case "", config.ImportAll:
		return time.Time{}, nil
	case config.ImportNew:
		return o.EnabledAt, nil
	}
	day, err := time.Parse(time.DateOnly, o.Since)
	if err != nil {
		return time.Time{}, fmt.Errorf("import_since %q is not all, new or a date", cut(o.Since))
	}
	return day, nil
}

// inspect tells of mails, newest first.
func (r *run) inspect(ctx context.Context, uids []uint32, opts DryRunOptions) ([]DryRunMail, error) {
	infos, err := r.conn.Sizes(ctx, uids)
	if err != nil {
		return nil, err
	}
	mails := make([]DryRunMail, 0, len(infos))
	_, err = r.conn.FetchHeaders(ctx, infos, headerLimit, func(info imapconn.MailInfo, header []byte) error {
		mails = append(mails, r.judge(info, header, opts))
		return nil
	})
	slices.SortFunc(mails, func(a, b DryRunMail) int { return cmp.Compare(b.UID, a.UID) })
	return mails, err
}

// judge does with a mail what fetcher, classifier and disposer would.
func (r *run) judge(info imapconn.MailInfo, raw []byte, opts DryRunOptions) DryRunMail {
	doc := r.req.Document
	mail := message.Parse(raw, message.DefaultLimits())
	d := schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonNoMatchingFolder}
	if opts.Route != nil {
		d = opts.Route.Route(mail.Header)
	}
	if info.Size > doc.MaxEmailBytes {
		d.Verdict, d.Reason, d.Clones = schemas.Invalid, schemas.ReasonOversize, nil
	}
	m := DryRunMail{
		UID: info.UID, Size: info.Size, InternalDate: info.InternalDate, Lane: schemas.Light, Decision: d,
		Date: mail.Date, Subject: cut(mail.Subject),
	}
	if len(mail.From) > 0 {
		m.From = cut(strings.TrimSpace(mail.From[0].Name + " <" + mail.From[0].Addr() + ">"))
	}
	if info.Size > doc.MaxLightBytes {
		m.Lane = schemas.Large
	}
	m.Reason = reasonOf(d, doc)
	m.Server = disposalOf(d, doc)
	return m
}

func cut(text string) string {
	runes := []rune(strings.Join(strings.Fields(text), " "))
	if len(runes) > maxText {
		return string(runes[:maxText]) + "…"
	}
	return string(runes)
}

// reasonOf tells why a mail would go where it would.
func reasonOf(d schemas.Decision, doc config.Mailbox) string {
	if d.Verdict == schemas.Accepted {
		var why []string
		for _, c := range d.Clones {
			switch c.Rule {
			case schemas.RuleCatchAll:
				why = append(why, c.FolderName+": nothing else matched, and it takes what is unmatched")
			case schemas.RulePlus:
				why = append(why, fmt.Sprintf("%s: %s in %s, without its +tag", c.FolderName, c.Address, c.Header))
			default:
				why = append(why, fmt.Sprintf("%s: %s in %s", c.FolderName, c.Address, c.Header))
			}
		}
		return strings.Join(why, "; ")
	}
	switch d.Reason {
	case schemas.ReasonOversize:
		return fmt.Sprintf("larger than the %d bytes that are allowed; it would not be downloaded", doc.MaxEmailBytes)
	case schemas.ReasonUnparsable:
		return "no header field can be found in it"
	case schemas.ReasonLoop:
		return "this mailbox sent it itself"
	}
	return "no recipient address is a folder's"
}

// disposalOf tells what would happen to a mail on the server.
func disposalOf(d schemas.Decision, doc config.Mailbox) string {
	method, folder := doc.PersistedMethod, doc.PersistedFolder
	if d.Verdict == schemas.Invalid {
		method, folder = doc.InvalidMethod, doc.InvalidFolder
	}
	if method == config.MethodDelete {
		return "is deleted, by way of " + doc.DeletedFolder
	}
	return "moves to " + folder
}

// summary counts mails that would go the same way.
func summary(mails []DryRunMail) []DryRunCount {
	counts := make(map[string]*DryRunCount)
	for _, m := range mails {
		var folders []string
		for _, c := range m.Decision.Clones {
			folders = append(folders, c.FolderName)
		}
		key := strings.Join(folders, "\x00") + "\x01" + string(m.Decision.Reason)
		if counts[key] == nil {
			counts[key] = &DryRunCount{Folders: folders, Reason: m.Decision.Reason}
		}
		counts[key].Count++
	}
	list := make([]DryRunCount, 0, len(counts))
	for _, c := range counts {
		c.Text = fmt.Sprintf("%d → %s", c.Count, strings.Join(c.Folders, " + "))
		if len(c.Folders) == 0 {
			c.Text = fmt.Sprintf("%d %s", c.Count, invalidWord(c.Reason))
		}
		list = append(list, *c)
	}
	slices.SortFunc(list, func(a, b DryRunCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Text, b.Text))
	})
	return list
}

func invalidWord(r schemas.Reason) string {
	switch r {
	case schemas.ReasonOversize:
		return "too large"
	case schemas.ReasonUnparsable:
		return "unreadable"
	case schemas.ReasonLoop:
		return "sent by this mailbox itself"
	}
	return "unmatched"
}
