package sqlitestore

import (
	"database/sql"
	"encoding/json"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

type mailbox struct{ tenant, id string }

const suspectsSQL = `
SELECT k.key FROM json_each(?1) k
WHERE EXISTS (SELECT 1 FROM mails m WHERE m.mail_key = k.value ->> 0)
   OR EXISTS (SELECT 1 FROM mails m WHERE m.mail_id = k.value ->> 1)
   OR EXISTS (SELECT 1 FROM undisposed u WHERE u.sha256 = k.value ->> 2 AND u.tenant = k.value ->> 3 AND u.mailbox = k.value ->> 4 AND u.uidvalidity < k.value ->> 5)
   OR EXISTS (SELECT 1 FROM undisposed u WHERE u.sha256 = k.value ->> 2 AND u.tenant = k.value ->> 3 AND u.mailbox = k.value ->> 4 AND u.uidvalidity > k.value ->> 5)`

// suspects returns those of some records of which something may be there: the
// key, the mail id, or the content under another UIDVALIDITY. One question for
// all of them takes a fraction of the time of one for each.
func suspects(st *statements, b *record.Batch, which []int) (map[int]bool, error) {
	questions := make([][6]any, len(which))
	for i, n := range which {
		r := b.Records[n]
		questions[i] = [...]any{r.Key.String(), r.MailID, r.SHA256, r.Key.Tenant, r.Key.Mailbox, r.Key.UIDValidity}
	}
	list, err := json.Marshal(questions)
	if err != nil {
		return nil, err
	}
	found := map[int]bool{}
	return found, st.each(func(rows *sql.Rows) error {
		var i int
		if err := rows.Scan(&i); err != nil {
			return err
		}
		found[which[i]] = true
		return nil
	}, suspectsSQL, string(list))
}

// lookup reports whether the record's mail is there already, and fills in its
// outcome if so: under its key, under the key of an earlier UIDVALIDITY, which
// is then replaced, or, under a later one, by its mail id.
func lookup(st *statements, r *record.Record, o *mailstore.Outcome, moved map[mailbox]*record.Candidates) (bool, error) {
	row, err := found(st, r, o, "mail_key", r.Key.String())
	if err != nil {
		return false, err
	}
	if row.known && !r.IsAnother(row.sum, row.messageID) {
		return true, nil
	}
	if row.known {
		*o = mailstore.Outcome{}
		if err := displace(st, row.seq); err != nil {
			return false, err
		}
	}
	known, err := rekey(st, r, o, moved)
	if known || err != nil {
		return known, err
	}
	row, err = found(st, r, o, "mail_id", r.MailID)
	if row.known && !row.same && err == nil { // another mail had this key once
		r.Reidentify(r.OtherID())
		row, err = found(st, r, o, "mail_id", r.MailID)
	}
	return row.known, err
}

// displace takes the key from the row of a mail that had it once: see
// record.IsAnother. Nothing will be disposed of under this key any more.
func displace(st *statements, seq int64) error {
	if err := st.exec(`UPDATE mails SET mail_key = mail_key || '#' || seq WHERE seq = ?1`, seq); err != nil {
		return err
	}
	return st.exec(`DELETE FROM undisposed WHERE mail_seq = ?1`, seq)
}

// A foundRow is what found found.
type foundRow struct {
	known          bool
	same           bool // its content is the record's
	seq            int64
	sum, messageID string
}

// found looks for the row that has the value in a unique column, and fills in
// its outcome.
func found(st *statements, r *record.Record, o *mailstore.Outcome, column, value string) (row foundRow, err error) {
	err = st.each(func(rows *sql.Rows) error {
		row.known = true
		var size int64
		if err := rows.Scan(&row.seq, &o.MailID, &o.Verdict, &o.Reason, &o.Disposed, &row.sum, &size, &row.messageID); err != nil {
			return err
		}
		row.same = row.sum == r.SHA256 && size == r.Size
		return nil
	}, `SELECT seq, mail_id, verdict, reason, disposed_at IS NOT NULL, sha256, size, message_id FROM mails WHERE `+column+` = ?1`, value)
	if row.known && err == nil {
		o.Items, err = items(st, row.seq)
	}
	return row, err
}

// rekey gives a stored row the key that its mail has now. What is asked first
// costs one look into an index of few rows.
func rekey(st *statements, r *record.Record, o *mailstore.Outcome, moved map[mailbox]*record.Candidates) (bool, error) {
	m := mailbox{r.Key.Tenant, r.Key.Mailbox}
	candidates, ok := moved[m]
	if !ok {
		candidates = record.NewCandidates(nil)
		moved[m] = candidates
	}
	err := st.each(func(rows *sql.Rows) error {
		c := &record.Candidate{SHA256: r.SHA256, Size: r.Size}
		var fetchedAt *string
		if err := rows.Scan(&c.Seq, &c.UIDValidity, &c.UID, &fetchedAt, &c.Outcome.MailID, &c.Outcome.Verdict, &c.Outcome.Reason); err != nil {
			return err
		}
		if fetchedAt != nil {
			t, err := time.Parse(timeLayout, *fetchedAt)
			if err != nil {
				return err
			}
			c.FetchedAt = &t
		}
		candidates.Add(c)
		return nil
	}, `SELECT m.seq, m.uidvalidity, m.uid, m.fetched_at, m.mail_id, m.verdict, m.reason FROM undisposed u CROSS JOIN mails m ON m.seq = u.mail_seq
		WHERE u.sha256 = ?3 AND u.tenant = ?1 AND u.mailbox = ?2 AND u.uidvalidity < ?4 AND m.size = ?5
		UNION ALL
		SELECT m.seq, m.uidvalidity, m.uid, m.fetched_at, m.mail_id, m.verdict, m.reason FROM undisposed u CROSS JOIN mails m ON m.seq = u.mail_seq
		WHERE u.sha256 = ?3 AND u.tenant = ?1 AND u.mailbox = ?2 AND u.uidvalidity > ?4 AND m.size = ?5`,
		m.tenant, m.id, r.SHA256, int64(r.Key.UIDValidity), r.Size)
	if err != nil {
		return false, err
	}
	row, fresh := candidates.Take(r)
	if row == nil {
		return false, nil
	}
	*o = row.Outcome
	if o.Items, err = items(st, row.Seq); err != nil || !fresh {
		return true, err
	}
	if err := st.exec(`UPDATE mails SET mail_key = ?2, uidvalidity = ?3, uid = ?4 WHERE seq = ?1`, row.Seq, r.Key.String(), int64(r.Key.UIDValidity), int64(r.Key.UID)); err != nil {
		return true, err
	}
	origin, due := r.Due(time.Now().UTC())
	return true, st.exec(`UPDATE undisposed SET uidvalidity = ?2, origin = ?3, due_at = ?4 WHERE mail_seq = ?1`, row.Seq, int64(r.Key.UIDValidity), origin, stamp(due))
}

func items(st *statements, seq int64) ([]mailstore.OutcomeItem, error) {
	var out []mailstore.OutcomeItem
	err := st.each(func(rows *sql.Rows) error {
		var it mailstore.OutcomeItem
		if err := rows.Scan(&it.ID, &it.Folder); err != nil {
			return err
		}
		out = append(out, it)
		return nil
	}, `SELECT item_id, folder FROM items WHERE mail_seq = ?1 ORDER BY position`, seq)
	return out, err
}
