package control

import (
	"context"
	"crypto/rand"
	"fmt"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/opaque"
)

// Sealer returns the sealer of the numbers of a kind that a tenant may see, such
// as the revisions of its documents. It is the same for all who have the control
// database open.
func (s *Store) Sealer(kind, tenant string) opaque.Sealer { return s.opaque.Sealer(kind, tenant) }

// opaqueKey reads the key of the tokens, and makes it in a database that has none.
func (q querier) opaqueKey(ctx context.Context) (opaque.Key, error) {
	value := make([]byte, opaque.KeySize)
	rand.Read(value) // never fails
	if _, err := q.exec(ctx, `INSERT INTO opaque_key (one, value) VALUES (1, ?) ON CONFLICT DO NOTHING`, value); err != nil {
		return opaque.Key{}, fmt.Errorf("making the key of the tokens: %w", err)
	}
	if err := q.row(ctx, `SELECT value FROM opaque_key`).Scan(&value); err != nil {
		return opaque.Key{}, fmt.Errorf("reading the key of the tokens: %w", err)
	}
	key, err := opaque.NewKey(value)
	if err != nil {
		return opaque.Key{}, fault.Permanent(fmt.Errorf("reading the key of the tokens from opaque_key: %w", err))
	}
	return key, nil
}
