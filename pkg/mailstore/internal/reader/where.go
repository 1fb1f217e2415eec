package reader

import (
	"strconv"
	"strings"
)

// where collects conditions and their arguments.
type where struct {
	conditions []string
	args       []any
	few        bool // whether a condition leaves few mails, to be looked up by seq
}

// arg adds an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

// String returns the WHERE clause.
func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conditions, " AND ")
}

// add adds a condition, with ? in the place of its argument.
func (w *where) add(condition string, v any) {
	w.conditions = append(w.conditions, strings.Replace(condition, "?", w.arg(v), 1))
}

// of adds the conditions of mails of a tenant and a mailbox; "" is all of them.
func (w *where) of(tenant, mailbox string) {
	if tenant != "" {
		w.add("m.tenant = ?", tenant)
	}
	if mailbox != "" {
		w.add("m.mailbox = ?", mailbox)
	}
}
