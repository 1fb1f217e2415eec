package record

import (
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
)

// Due returns the record's origin and when its disposal, asked for at now, is to
// be asked for again; nil for both when the origin is not known.
func (r *Record) Due(now time.Time) (origin *string, due *time.Time) {
	if r.Origin == "" {
		return nil, nil
	}
	at := now.Add(mailstore.DisposalTime)
	return &r.Origin, &at
}
