package control

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
)

// An AuditEntry tells who changed what. Secrets stand in it only as "changed".
type AuditEntry struct {
	ID       int64 // grows with every entry
	At       time.Time
	Revision int64
	Actor    string
	Role     Role // of the person, also when an API token of theirs may do less
	From     string
	Kind     schemas.Kind
	Tenant   string
	Document string // id of the document; equals the tenant for a tenant
	Change   string // schemas.ChangeCreated and so on
	Fields   []FieldChange
}

// An AuditQuery selects audit entries.
type AuditQuery struct {
	Tenant string       // "" for all, if the actor may see them
	Kind   schemas.Kind // "" for all
	ID     string       // of the document; "" for all
	Actor  string       // who; "" for all
	Change string       // schemas.ChangeCreated and so on; "" for all
	Since  time.Time    // only entries from then on; zero for all
	Until  time.Time    // only entries before then; zero for all
	Before int64        // only entries with a smaller ID; 0 for the newest
	Limit  int          // 0: 100; at most 1000
}

func (q AuditQuery) check() error {
	problems := config.CheckText("tenant", q.Tenant, maxActor)
	problems = append(problems, config.CheckText("kind", string(q.Kind), maxActor)...)
	problems = append(problems, config.CheckText("id", q.ID, maxActor)...)
	problems = append(problems, config.CheckText("actor", q.Actor, maxActor)...)
	problems = append(problems, config.CheckText("change", q.Change, maxActor)...)
	return problems.Err()
}

// Audit returns entries, the newest first.
func (s *Store) Audit(ctx context.Context, actor Actor, query AuditQuery) (list []AuditEntry, err error) {
	if err := actor.mayRead(query.Tenant); err != nil {
		return nil, err
	}
	if err := query.check(); err != nil {
		return nil, err
	}
	limit := min(query.Limit, 1000)
	if limit <= 0 {
		limit = 100
	}
	where, args := query.where()
	err = s.read(ctx, func(q querier) error {
		return q.each(ctx, func(row scanner) error {
			var e AuditEntry
			var at, fields string
			if err := row.Scan(&e.ID, &at, &e.Revision, &e.Actor, &e.Role, &e.From, &e.Kind, &e.Tenant, &e.Document, &e.Change, &fields); err != nil {
				return err
			}
			if e.At, err = parseTime(at); err != nil {
				return err
			}
			list = append(list, e)
			return json.Unmarshal([]byte(fields), &list[len(list)-1].Fields)
		}, `SELECT id, at, revision, actor, role, source, kind, tenant, document, change, fields FROM audit
			WHERE TRUE`+where+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
	})
	if err != nil {
		return nil, fmt.Errorf("reading audit: %w", err)
	}
	return list, nil
}

// audit writes an entry. Fields must hold no secret.
func (w *writer) audit(ctx context.Context, kind schemas.Kind, tenant, id, change string, fields []FieldChange) error {
	values, err := json.Marshal(append([]FieldChange{}, fields...)) // a list, without any too
	if err != nil {
		return err
	}
	_, err = w.exec(ctx, `INSERT INTO audit (at, revision, actor, role, source, kind, tenant, document, change, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		formatTime(w.at), w.revision, w.actor.Name, string(w.actor.auditRole()), w.actor.From, string(kind), tenant, id, change, string(values))
	return err
}

// where returns the conditions of a query with their arguments. What is not asked
// for is not among them: see matching.
func (q AuditQuery) where() (conditions string, args []any) {
	for _, c := range []struct{ column, value string }{
		{"tenant", q.Tenant}, {"kind", string(q.Kind)}, {"document", q.ID}, {"actor", q.Actor}, {"change", q.Change},
	} {
		condition, arg := matching(c.column, c.value)
		conditions, args = conditions+condition, append(args, arg...)
	}
	if !q.Since.IsZero() {
		conditions, args = conditions+` AND at >= ?`, append(args, formatTime(q.Since))
	}
	if !q.Until.IsZero() {
		conditions, args = conditions+` AND at < ?`, append(args, formatTime(q.Until))
	}
	if q.Before != 0 {
		conditions, args = conditions+` AND id < ?`, append(args, q.Before)
	}
	return conditions, args
}
