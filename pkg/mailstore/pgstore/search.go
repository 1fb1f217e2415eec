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
	n := 0
	err := s.write(ctx, func(ctx context.Context, tx pgx.Tx) error {
		return tx.QueryRow(ctx, `
			WITH taken AS (
			    DELETE FROM search_queue WHERE mail_seq = ANY (ARRAY(SELECT mail_seq FROM search_queue ORDER BY mail_seq LIMIT $1 FOR UPDATE SKIP LOCKED))
			    RETURNING mail_seq),
			indexed AS (
			    INSERT INTO mail_search (mail_seq, tenant, terms)
			    SELECT m.seq, m.tenant, to_tsvector('simple', concat_ws(' ', m.subject,
			        (SELECT string_agg(concat_ws(' ', a.name, a.address), ' ') FROM addresses a WHERE a.mail_seq = m.seq AND a.position <= 100),
			        left(c.text, $2)))
			    FROM taken t
			    JOIN mails m ON m.seq = t.mail_seq
			    JOIN contents c ON c.mail_seq = t.mail_seq
			    ON CONFLICT DO NOTHING)
			SELECT count(*) FROM taken`, limit, indexed).Scan(&n)
	})
	if err != nil {
		return 0, fmt.Errorf("indexing mail for search: %w", err)
	}
	return n, nil
}
