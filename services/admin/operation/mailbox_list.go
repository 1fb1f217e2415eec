package operation

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/schemas"
)

// MailboxFilter selects mailboxes. Empty fields select all; conditions add up.
type MailboxFilter struct {
	Search    string                  `query:"search" json:"search,omitempty" maxLength:"200" doc:"Part of the name, id, username, host or the name of a folder, without regard to case."`
	Status    []schemas.MailboxStatus `query:"status" json:"status,omitempty" doc:"States of the incoming side; several are alternatives."`
	Outgoing  []OutgoingStatus        `query:"outgoing" json:"outgoing,omitempty" doc:"States of the outgoing side; several are alternatives."`
	Folder    string                  `query:"folder" json:"folder,omitempty" doc:"Id of a folder that the mailbox delivers to."`
	Host      string                  `query:"host" json:"host,omitempty" doc:"IMAP address."`
	Enabled   string                  `query:"enabled" json:"enabled,omitempty" enum:"true,false" doc:"Only those that are enabled, or only those that are not."`
	Attention bool                    `query:"attention" json:"attention,omitempty" doc:"Only those that somebody has to look after: in trouble, or with dead letters."`
}

// ListMailboxes asks for a page of mailboxes.
type ListMailboxes struct {
	InTenant
	MailboxFilter
	Sort   string `query:"sort" json:"sort,omitempty" enum:"name,-name,username,-username,folders,-folders,status,-status,outgoing,-outgoing,checked,-checked,backlog,-backlog,today,-today,failed,-failed,enabled,-enabled,problem,-problem" doc:"Column, with - in front for the other direction. The default is name."`
	Cursor string `query:"cursor" json:"cursor,omitempty" maxLength:"2000" doc:"next or previous of another page."`
	Limit  int    `query:"limit" json:"limit,omitempty" minimum:"0" maximum:"500" doc:"Most rows of the page; 0 is 50."`
}

// MailboxPage is a page of mailboxes.
type MailboxPage struct {
	Mailboxes []MailboxRow   `json:"mailboxes"`
	Matching  int            `json:"matching"` // how many the filter selects, on all pages
	Total     int            `json:"total"`    // how many the tenant has
	Counts    map[string]int `json:"counts"`   // mailboxes of the tenant by status of the incoming side, and "attention"
	Next      string         `json:"next,omitempty"`
	Previous  string         `json:"previous,omitempty"`
	First     int            `json:"first"`          // number of the first row among those that match, from 1; 0: none
	Away      []string       `json:"away,omitempty"` // what could not be asked, so that columns are empty
}

// ListMailboxes returns a page of a tenant's mailboxes with their states.
func (d *Desk) ListMailboxes(ctx context.Context, a control.Actor, in *ListMailboxes) (MailboxPage, error) {
	order, err := orderOf(in.Sort)
	if err != nil {
		return MailboxPage{}, err
	}
	at, err := decodeCursor(in.Cursor)
	if err != nil {
		return MailboxPage{}, err
	}
	if in.Limit < 0 || in.Limit > 500 {
		return MailboxPage{}, Invalid(config.Problem{Path: "limit", Message: fmt.Sprintf("%d is not within 0 and 500", in.Limit)})
	}
	all, away, err := d.roster(ctx, a, in.Tenant)
	if err != nil {
		return MailboxPage{}, err
	}
	page := MailboxPage{Total: len(all), Away: away, Counts: map[string]int{}, Mailboxes: []MailboxRow{}}
	for i := range all {
		page.Counts[string(all[i].In.Status)]++
		if all[i].attention() {
			page.Counts["attention"]++
		}
	}
	rows := order.sort(in.MailboxFilter.of(all))
	page.Matching = len(rows)
	page.cut(rows, order, at, cmp.Or(in.Limit, 50))
	return page, nil
}

// cut takes the rows of the page out of all that match.
func (p *MailboxPage) cut(rows []*MailboxRow, o order, at *cursor, limit int) {
	from := 0
	if at != nil {
		from, _ = slices.BinarySearchFunc(rows, at, func(r *MailboxRow, c *cursor) int { return o.compareCursor(r, c) })
		if at.Back {
			from = max(from-limit, 0)
		} else if from < len(rows) && o.compareCursor(rows[from], at) == 0 {
			from++
		}
	}
	to := min(from+limit, len(rows))
	for _, r := range rows[from:to] {
		p.Mailboxes = append(p.Mailboxes, *r)
	}
	if len(p.Mailboxes) > 0 {
		p.First = from + 1
	}
	if to < len(rows) && to > from {
		p.Next = o.cursor(rows[to-1], false)
	}
	if from > 0 && from < len(rows) {
		p.Previous = o.cursor(rows[from], true)
	}
}

// attention reports whether somebody has to look after the mailbox.
func (r *MailboxRow) attention() bool {
	return r.Enabled && (needsAttention(r.In.Status) || r.In.Stale) || r.Out.Status == OutgoingFailed || r.Parked > 0
}

// of returns the rows that the filter selects.
func (f MailboxFilter) of(all []MailboxRow) []*MailboxRow {
	f.Search = fold(strings.TrimSpace(f.Search))
	rows := make([]*MailboxRow, 0, len(all))
	for i := range all {
		if f.selects(&all[i]) {
			rows = append(rows, &all[i])
		}
	}
	return rows
}

func (f MailboxFilter) selects(r *MailboxRow) bool {
	switch {
	case len(f.Status) > 0 && !slices.Contains(f.Status, r.In.Status),
		len(f.Outgoing) > 0 && !slices.Contains(f.Outgoing, r.Out.Status),
		f.Host != "" && !strings.EqualFold(f.Host, r.Host),
		f.Enabled != "" && (f.Enabled == "true") != r.Enabled,
		f.Attention && !r.attention(),
		f.Folder != "" && !slices.ContainsFunc(r.Folders, func(ref FolderRef) bool { return ref.ID == f.Folder }):
		return false
	}
	return strings.Contains(r.folded.text, f.Search)
}

// An order is a column to sort by. Rows of equal value are ordered by id, so
// that every row has one place.
type order struct {
	column string
	value  func(*MailboxRow) string
	down   bool
}

func orderOf(sort string) (order, error) {
	column, down := strings.CutPrefix(cmp.Or(sort, "name"), "-")
	number := func(n int64) string { return fmt.Sprintf("%020d", n) }
	values := map[string]func(*MailboxRow) string{
		"name":     func(r *MailboxRow) string { return r.folded.name },
		"username": func(r *MailboxRow) string { return r.folded.username },
		"folders":  func(r *MailboxRow) string { return number(int64(len(r.Folders))) },
		"status":   func(r *MailboxRow) string { return string(r.In.Status) },
		"outgoing": func(r *MailboxRow) string { return string(r.Out.Status) },
		"checked": func(r *MailboxRow) string {
			if r.In.LastSuccess == nil {
				return ""
			}
			return control.FormatTime(*r.In.LastSuccess)
		},
		"backlog": func(r *MailboxRow) string { return number(int64(r.Waiting + r.InFlight)) },
		"today":   func(r *MailboxRow) string { return number(r.Today) },
		"failed":  func(r *MailboxRow) string { return number(r.FailedToday) },
		"enabled": func(r *MailboxRow) string { return fmt.Sprint(r.Enabled) },
		"problem": func(r *MailboxRow) string { return fold(r.Problem) },
	}
	value, ok := values[column]
	if !ok {
		return order{}, Invalid(config.Problem{Path: "sort", Message: fmt.Sprintf("%q is no column to sort by", shorten(sort))})
	}
	return order{column: column, value: value, down: down}, nil
}

// sort puts the rows in order, in place. Every value is made once: to make
// them anew for each comparison takes most of the time of a long list.
func (o order) sort(rows []*MailboxRow) []*MailboxRow {
	type valued struct {
		value string
		row   *MailboxRow
	}
	list := make([]valued, len(rows))
	for i, r := range rows {
		list[i] = valued{o.value(r), r}
	}
	slices.SortFunc(list, func(a, b valued) int { return o.by(a.value, a.row.ID, b.value, b.row.ID) })
	for i := range list {
		rows[i] = list[i].row
	}
	return rows
}

func (o order) compareCursor(r *MailboxRow, c *cursor) int {
	return o.by(o.value(r), r.ID, c.Value, c.ID)
}

func (o order) by(value, id, otherValue, otherID string) int {
	n := cmp.Or(cmp.Compare(value, otherValue), cmp.Compare(id, otherID))
	if o.down {
		return -n
	}
	return n
}

// A cursor is a place between rows.
type cursor struct {
	Value string `json:"v"`
	ID    string `json:"i"`
	Back  bool   `json:"b,omitempty"` // the page before it, not the one after
}

func (o order) cursor(r *MailboxRow, back bool) string {
	raw, err := json.Marshal(cursor{Value: o.value(r), ID: r.ID, Back: back})
	if err != nil {
		return "" // texts and a truth value can always be encoded
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// decodeCursor is the reverse of order.cursor; nil for the first page.
func decodeCursor(s string) (*cursor, error) {
	if s == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	var c cursor
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	if err != nil {
		return nil, Invalid(config.Problem{Path: "cursor", Message: "is not what another page gave as next or previous; begin with the first page"})
	}
	return &c, nil
}
