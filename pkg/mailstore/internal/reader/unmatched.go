package reader

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/mailstore"
	"github.com/mailyard/mailyard/schemas"
)

// UnmatchedAddresses implements mailstore.Store.
func (r *Reader) UnmatchedAddresses(ctx context.Context, tenant, mailbox string, since time.Time, limit int) ([]mailstore.UnmatchedAddress, error) {
	w := &where{conditions: []string{"m.verdict = 'invalid'"}} // the condition of the index
	w.add("m.reason = ?", string(schemas.ReasonNoMatchingFolder))
	w.of(cleanText(tenant), cleanText(mailbox))
	if !since.IsZero() {
		w.add("m.persisted_at >= ?", r.dialect.Time(bounded(since)))
	}
	found := &unmatched{at: map[unmatchedKey]int{}}
	err := r.query(ctx, func(rows *sql.Rows) error {
		var a mailstore.UnmatchedAddress
		var recipients []byte
		if err := rows.Scan(&a.Tenant, &a.Mailbox, &a.MailID, present{&a.Last}, &recipients); err != nil {
			return err
		}
		return found.mail(a, recipients)
	}, `SELECT m.tenant, m.mailbox, m.mail_id, m.persisted_at, c.recipients FROM (
		SELECT m.seq, m.tenant, m.mailbox, m.mail_id, m.persisted_at FROM mails m`+w.String()+`
		ORDER BY m.persisted_at DESC, m.seq DESC LIMIT `+w.arg(mailstore.MaxUnmatchedMails)+`) m
		JOIN contents c ON c.mail_seq = m.seq ORDER BY m.persisted_at DESC, m.seq DESC`, w.args...)
	if err != nil {
		return nil, fmt.Errorf("listing the addresses without a folder of %q: %w", tenant, err)
	}
	return found.list[:min(pageSize(limit), len(found.list))], nil
}

// unmatched groups the recipients of mails that come newest first.
type unmatched struct {
	list []mailstore.UnmatchedAddress
	at   map[unmatchedKey]int
}

type unmatchedKey struct{ tenant, mailbox, address string }

// mail adds the addresses that decided, each once: those of the set that routing
// used, or all when it used none, as of a mail that only its header names
// recipients of.
func (u *unmatched) mail(a mailstore.UnmatchedAddress, document []byte) error {
	var recipients []schemas.Recipient
	if err := json.Unmarshal(document, &recipients); err != nil {
		return fmt.Errorf("decoding the recipients of mail %s: %w", a.MailID, err)
	}
	decided := slices.ContainsFunc(recipients, func(r schemas.Recipient) bool { return r.Used })
	seen := make([]string, 0, len(recipients))
	for _, rcpt := range recipients {
		key := addressKey(rcpt.Address)
		if decided && !rcpt.Used || key == "" || slices.Contains(seen, key) {
			continue
		}
		seen = append(seen, key)
		a.Address = strings.TrimSpace(rcpt.Address)
		k := unmatchedKey{a.Tenant, a.Mailbox, key}
		n, ok := u.at[k]
		if !ok {
			n = len(u.list)
			u.at[k] = n
			u.list = append(u.list, a)
		}
		u.list[n].Count++
	}
	return nil
}
