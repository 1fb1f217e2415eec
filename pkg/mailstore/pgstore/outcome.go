package pgstore

import (
	"github.com/mailyard/mailyard/pkg/mailstore"
)

// What an outcome is made of, for queries FROM mails m, itemsOfMail.
const (
	outcomeColumns = `m.mail_id, m.verdict, m.reason, m.disposed_at IS NOT NULL, p.ids, p.folders`
	itemsOfMail    = `LATERAL (SELECT array_agg(i.item_id ORDER BY i.position) AS ids, array_agg(i.folder ORDER BY i.position) AS folders
      FROM items i WHERE i.mail_seq = m.seq) p`
)

// An outcomeRow is what outcomeColumns are scanned into.
type outcomeRow struct {
	stored       mailstore.Outcome
	ids, folders []string // NULL without items
}

// targets returns where to scan outcomeColumns, behind where to scan others.
func (r *outcomeRow) targets(others ...any) []any {
	return append(others, &r.stored.MailID, &r.stored.Verdict, &r.stored.Reason, &r.stored.Disposed, &r.ids, &r.folders)
}

func (r *outcomeRow) outcome() mailstore.Outcome {
	o := r.stored
	for i, id := range r.ids {
		o.Items = append(o.Items, mailstore.OutcomeItem{ID: id, Folder: r.folders[i]})
	}
	return o
}
