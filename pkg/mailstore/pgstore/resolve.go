package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/mailyard/mailyard/pkg/mailstore/internal/record"
)

// resolve finds out why some records could not be inserted. Mostly another
// process stored the same mail a moment ago. Otherwise its mail id is taken: by
// the mail itself, which has another key since a change of UIDVALIDITY, or by
// another mail that had this key once. Only records of the latter kind are
// returned, with another id, to be inserted again.
func resolve(ctx context.Context, tx pgx.Tx, b *record.Batch, which []int, seqs map[int]int64) ([]int, error) {
	var conflicting []int
	for _, n := range which {
		if _, ok := seqs[n]; !ok {
			conflicting = append(conflicting, n)
		}
	}
	if len(conflicting) == 0 {
		return nil, nil
	}
	missing, err := find(ctx, tx, b, conflicting)
	if err != nil {
		return nil, err
	}
	var again []int
	for _, n := range missing {
		same, err := sameMail(ctx, tx, b, n)
		if err != nil {
			return nil, fmt.Errorf("looking up mail id of %s: %w", b.Records[n].Key, err)
		}
		if !same {
			b.Records[n].Reidentify(b.Records[n].OtherID())
			again = append(again, n)
		}
	}
	return again, nil
}

// sameMail reports whether the row that has the record's mail id holds the
// record's mail, and fills in its outcome if so.
func sameMail(ctx context.Context, tx pgx.Tx, b *record.Batch, n int) (bool, error) {
	r := b.Records[n]
	var row outcomeRow
	var sum string
	var size int64
	err := tx.QueryRow(ctx, `SELECT m.sha256, m.size, `+outcomeColumns+` FROM mails m, `+itemsOfMail+` WHERE m.mail_id = $1`, r.MailID).
		Scan(row.targets(&sum, &size)...)
	if err != nil {
		return false, err
	}
	if sum != r.SHA256 || size != r.Size {
		return false, nil
	}
	b.Outcomes[n] = row.outcome()
	return true, nil
}
