package sqlitestore

import (
	"context"
	"database/sql"
	"time"
)

// statements are the statements of one transaction, each prepared once.
type statements struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared map[string]*sql.Stmt
}

func (s *statements) prepare(query string) (*sql.Stmt, error) {
	if st, ok := s.prepared[query]; ok {
		return st, nil
	}
	st, err := s.tx.PrepareContext(s.ctx, query)
	if err != nil {
		return nil, err
	}
	s.prepared[query] = st
	return st, nil
}

func (s *statements) exec(query string, args ...any) error {
	st, err := s.prepare(query)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(s.ctx, args...)
	return err
}

// insert runs an INSERT and returns the rowid.
func (s *statements) insert(query string, args ...any) (int64, error) {
	st, err := s.prepare(query)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(s.ctx, args...)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// each runs a query and calls scan for every row.
func (s *statements) each(scan func(*sql.Rows) error, query string, args ...any) error {
	st, err := s.prepare(query)
	if err != nil {
		return err
	}
	rows, err := st.QueryContext(s.ctx, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (s *statements) close() {
	for _, st := range s.prepared {
		_ = st.Close() // the transaction reports what matters
	}
}

// stamp returns a time as it is stored.
func stamp(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.Format(timeLayout)
}
