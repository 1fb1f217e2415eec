package console

import (
	"slices"
	"strconv"
	"time"

	"github.com/mailyard/mailyard/pkg/lease"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// protocolView is the protocol log of a mailbox.
type protocolView struct {
	May     bool // the actor may read it
	Post    string
	Tail    protocolTail
	Until   *time.Time // nil: it is off
	Minutes []int      // for which it can be switched on
}

// A protocolTail is the lines that came last, and where those after them come
// from.
type protocolTail struct {
	Path  string // of what comes next; "": nothing does
	Lines []lease.ProtocolLine
	Over  bool // the log was on when the page was shown, and is off now
}

func (c *console) mailboxProtocol(r *request) error {
	return r.showMailbox("protocol", "mailbox-protocol", func(m operation.Mailbox, _ operation.MailboxRow) (any, error) {
		v := protocolView{May: r.mayWrite(), Post: r.path("mailboxes", m.Document.ID, "protocol"), Minutes: []int{5, 15, 60}}
		if !v.May {
			return v, nil
		}
		log, err := r.desk.GetProtocol(r.Context(), r.actor, &operation.GetProtocol{InMailbox: r.inMailbox(m.Document.ID)})
		if err != nil {
			return nil, err
		}
		v.Until, v.Tail = log.Until, r.protocolTail(m.Document.ID, log, 0)
		return v, nil
	})
}

// protocolLines answers with what was said after a line.
func (c *console) protocolLines(r *request) error {
	after, err := strconv.ParseInt(r.FormValue("after"), 10, 64)
	if err != nil {
		after = 0
	}
	id := r.PathValue("mailbox")
	log, err := r.desk.GetProtocol(r.Context(), r.actor, &operation.GetProtocol{InMailbox: r.inMailbox(id), After: after})
	if err != nil {
		return err
	}
	tail := r.protocolTail(id, log, after)
	tail.Over = log.Until == nil
	return r.part("protocol-more", tail)
}

func (r *request) protocolTail(id string, log operation.Protocol, after int64) protocolTail {
	t := protocolTail{Lines: log.Lines}
	if n := len(log.Lines); n > 0 {
		after = log.Lines[n-1].Seq
	}
	// Each replica writes what it hears in batches; people read it in its order.
	slices.SortStableFunc(t.Lines, func(a, b lease.ProtocolLine) int { return a.At.Compare(b.At) })
	if log.Until != nil {
		t.Path = withQuery(r.path("mailboxes", id, "protocol", "lines"), nil, "after", strconv.FormatInt(after, 10))
	}
	return t
}

// switchProtocol switches the log on for a while, or off.
func (c *console) switchProtocol(r *request) error {
	minutes, problems := formNumber("minutes", r.PostFormValue("minutes"))
	if len(problems) > 0 {
		return operation.Invalid(problems...)
	}
	id := r.PathValue("mailbox")
	if _, err := r.desk.SwitchProtocol(r.Context(), r.actor, &operation.SwitchProtocol{InMailbox: r.inMailbox(id), Body: operation.ProtocolSwitch{Minutes: minutes}}); err != nil {
		return err
	}
	if minutes == 0 {
		r.tell(toneOK, "The protocol log is off.")
	} else {
		r.tell(toneOK, "The protocol log is on for %s.", plural(minutes, "minute", "minutes"))
	}
	return r.redirect(r.path("mailboxes", id, "protocol"))
}
