package sqlitestore

import (
	"context"
	"database/sql"
	"fmt"
)

// indexed is how many characters of a mail's text are indexed, as in PostgreSQL.
const indexed = 100_000

// IndexPending implements mailstore.Store.
func (s *Store) IndexPending(ctx context.Context, limit int) (int, error) {
	var n int64
	err := s.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO mail_search (rowid, terms)
			SELECT m.seq, m.subject || ' ' || coalesce((SELECT string_agg(a.name || ' ' || a.address, ' ') FROM addresses a WHERE a.mail_seq = m.seq AND a.position <= 100), '') || ' ' || substr(c.text, 1, ?2)
			FROM (SELECT mail_seq FROM search_queue ORDER BY mail_seq LIMIT ?1) q
			JOIN mails m ON m.seq = q.mail_seq
			JOIN contents c ON c.mail_seq = q.mail_seq`, limit, indexed); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `DELETE FROM search_queue WHERE mail_seq IN (SELECT mail_seq FROM search_queue ORDER BY mail_seq LIMIT ?1)`, limit)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("indexing mail for search: %w", err)
	}
	return int(n), nil
}
