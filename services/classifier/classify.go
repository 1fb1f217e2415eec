package classifier

import (
	"context"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/pkg/routing"
	"github.com/mailyard/mailyard/schemas"
)

// classify decides on one mail and hands it on. It returns when the classified
// message is stored in its stream, so that the caller may acknowledge, or when
// ctx is done while the stream takes nothing.
func (l *lane) classify(ctx context.Context, m *bus.Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("classifying: panic: %v\n%s", p, debug.Stack())
		}
	}()
	var in schemas.MailFetched
	if err := m.Decode(&in); err != nil {
		return fault.Permanent(err)
	}
	key := in.Key()
	if m.Deliveries() >= parkAfter {
		return fault.Permanent(fmt.Errorf("classifying %s: delivered %d times without an outcome", key, m.Deliveries()))
	}
	t, ok := l.tables.of(key.Tenant, key.Mailbox)
	if !ok {
		return fmt.Errorf("classifying %s: no such mailbox in the configuration", key)
	}
	header, _, _ := message.ScanHeader(in.Mail)
	decision := t.decide(in, header)
	if err := l.probe(ctx, header, &decision); err != nil {
		return fmt.Errorf("classifying %s: %w", key, err)
	}
	decision.ClassifiedAt = time.Now().UTC()
	if decision, err = fit(decision); err != nil {
		return fmt.Errorf("classifying %s: %w", key, err)
	}

	out := schemas.MailClassified{
		Attributes:     schemas.NewAttributes(schemas.TypeMailClassified, key.Source(), key.Subject(), in.ID, schemas.ContentDecision, decision.ClassifiedAt),
		MailAttributes: in.MailAttributes,
		Data:           schemas.ClassifiedMail{Decision: decision, Mail: in.Mail},
	}
	out.TraceParent = in.TraceParent
	subject := schemas.SubjectClassified(in.Lane, key.Tenant, key.Mailbox)
	msgID := "c:" + key.ID() + ":" + strconv.FormatInt(in.Generation, 10)
	if err := l.conn.PublishUntil(ctx, process.Hard(ctx), []bus.Publication{{Subject: subject, Event: out, MsgID: msgID}}); err != nil {
		return fmt.Errorf("classifying %s: %w", key, err)
	}
	return nil
}

// decide routes by recipient, unless the fetcher has already found the mail invalid.
func (t *table) decide(in schemas.MailFetched, header message.Header) schemas.Decision {
	decision := t.routes.Route(header)
	if in.Reason != "" {
		decision.Verdict, decision.Reason, decision.Clones = schemas.Invalid, in.Reason, nil
	}
	decision.Revision = t.revision
	return decision
}

// probe makes a loop of a test mail that an examination sent, whichever mailbox
// it came to. What only says that it is one stays what it is: a header field can
// be written by anybody, a token that was announced cannot be guessed.
func (l *lane) probe(ctx context.Context, header message.Header, d *schemas.Decision) error {
	token := header.Get(routing.ProbeHeader)
	if token == "" || d.Reason == schemas.ReasonLoop {
		return nil
	}
	known, err := l.conn.KnowsProbe(ctx, token)
	if known {
		d.Verdict, d.Reason, d.Clones = schemas.Invalid, schemas.ReasonLoop, nil
	}
	return err
}
