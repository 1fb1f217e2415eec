package control

import (
	"context"
	"fmt"

	"go.uber.org/zap"
)

// Purge removes what was deleted longer than Retention ago, ciphertexts and
// all. The publisher calls it; it returns how many records are gone.
func (s *Store) Purge(ctx context.Context) (int, error) {
	before := formatTime(s.now().Add(-Retention))
	var gone int64
	err := s.write(ctx, Actor{Name: "retention"}, func(w *writer) error {
		for _, query := range []string{ // what refers to others first
			`DELETE FROM mailboxes WHERE deleted_at < ?`,
			`DELETE FROM folders WHERE deleted_at < ?`,
			`DELETE FROM tenants WHERE deleted_at < ? AND id NOT IN (SELECT tenant FROM folders UNION SELECT tenant FROM mailboxes)`,
		} {
			n, err := w.exec(ctx, query, before)
			if err != nil {
				return err
			}
			gone += n
		}
		w.changes += int(gone)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("purging deleted documents: %w", err)
	}
	return int(gone), nil
}

// restamp gives every record a revision above the given one. The bucket has
// records from a future of this database: it was restored from a backup. From
// here on it is the truth again, and everybody takes its records for newer.
func (s *Store) restamp(ctx context.Context, above int64) error {
	err := s.write(ctx, Actor{Name: "restore"}, func(w *writer) error {
		w.revision = max(w.revision, above+1)
		w.changes++
		w.documents = true
		if _, err := w.exec(ctx, `UPDATE meta SET value = ? WHERE name = 'revision'`, w.revision); err != nil {
			return err
		}
		for _, table := range []string{"tenants", "folders", "mailboxes"} {
			if _, err := w.exec(ctx, `UPDATE `+table+` SET revision = ?`, w.revision); err != nil {
				return err
			}
		}
		s.logger.Warn("the services had newer documents than the control database, which was restored from a backup; its documents are now in force", zap.Int64("revision", w.revision))
		return nil
	})
	if err != nil {
		return fmt.Errorf("renewing revisions: %w", err)
	}
	return nil
}
