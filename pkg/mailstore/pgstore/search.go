package pgstore

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// indexed is how many characters of a mail's text are indexed: a tsvector may
// not exceed 1 MiB, whatever the text.
const indexed = 100_000

// IndexPending implements mailstore.Store. Several processes may call it; each
// takes rows that no other one has.
func (s *Store) IndexPending(ctx context.Context, limit int) (int, error) {
	var n int64
	err := s.write(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			WITH taken AS (
			    DELETE FROM search_queue WHERE ctid = ANY (ARRAY(SELECT ctid FROM search_queue LIMIT $1 FOR UPDATE SKIP LOCKED))
			    RETURNING tenant, mail_seq)
			INSERT INTO mail_search (tenant, mail_seq, terms)
			SELECT m.tenant, m.seq, to_tsvector('simple', concat_ws(' ', m.subject,
			    (SELECT string_agg(concat_ws(' ', a.name, a.address), ' ') FROM addresses a WHERE a.tenant = m.tenant AND a.mail_seq = m.seq AND a.position <= 100),
			    left(c.text, $2)))
			FROM taken t
			JOIN mails m ON m.tenant = t.tenant AND m.seq = t.mail_seq
			JOIN contents c ON c.tenant = t.tenant AND c.mail_seq = t.mail_seq
			ON CONFLICT DO NOTHING`, limit, indexed)
		n = tag.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("indexing mail for search: %w", err)
	}
	return int(n), nil
}
