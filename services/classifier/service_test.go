package classifier

import (
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/servicetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const tenant = servicetest.Tenant

type rig struct {
	*servicetest.Bench
	t          *testing.T
	mailbox    config.Mailbox
	classified *servicetest.Events[schemas.MailClassified]
	parked     *servicetest.Events[schemas.MailParked]
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := newDeafRig(t)
	r.classified = servicetest.Listen[schemas.MailClassified](r.Bench, "mail.v1.classified.>")
	r.parked = servicetest.Listen[schemas.MailParked](r.Bench, "mail.v1.event.dead.>")
	return r
}

// newDeafRig listens to nothing: without a stream, nobody is there to answer.
func newDeafRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Bench: servicetest.New(t), t: t}
	r.PutFolder("support", "support@example.com")
	r.mailbox = servicetest.Mailbox("info", imapconn.Target{Host: "imap.example.com", Port: 993, Username: "info@example.com"}, "support")
	r.PutMailbox(r.mailbox, secret.NewString("pw"))
	return r
}

func (r *rig) run() (stop func() error) {
	r.t.Helper()
	return r.Run(New(Config{Bus: r.Bus(), Logger: r.Logger}))
}

func fetched(mailbox string, uid uint32, reason schemas.Reason, raw []byte) schemas.MailFetched {
	now := time.Now().UTC()
	key := schemas.MailKey{Tenant: tenant, Mailbox: mailbox, UIDValidity: 7, UID: uid}
	return schemas.MailFetched{
		Attributes: schemas.NewAttributes(schemas.TypeMailFetched, key.Source(), key.Subject(), key.ID(), schemas.ContentMail, now),
		MailAttributes: schemas.MailAttributes{
			Tenant: tenant, Mailbox: mailbox, UIDValidity: 7, UID: uid, Lane: schemas.Light, Size: int64(len(raw)), Reason: reason,
			SHA256: strings.Repeat("a", 64), InternalDate: now, FetchedAt: now, Generation: 1,
		},
		Mail: raw,
	}
}

func (r *rig) publish(e schemas.MailFetched) {
	r.t.Helper()
	if err := r.Conn.Publish(r.t.Context(), schemas.SubjectFetched(e.Lane, tenant, e.Mailbox), e, ""); err != nil {
		r.t.Fatal(err)
	}
}

func TestMailIsClassifiedByItsFolders(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run()
	mine := imaptest.Message(1, 300) // to support@example.com
	r.publish(fetched("info", 1, "", mine))
	r.publish(fetched("info", 2, "", []byte("To: nobody@example.com\r\n\r\nhello")))
	r.publish(fetched("info", 3, schemas.ReasonOversize, mine))
	r.Eventually("all are classified", func() bool { return r.classified.Len() == 3 && r.Left(schemas.StreamFetchedLight) == 0 })
	want := map[uint32]schemas.Decision{
		1: {Verdict: schemas.Accepted}, 2: {Verdict: schemas.Invalid, Reason: schemas.ReasonNoMatchingFolder}, 3: {Verdict: schemas.Invalid, Reason: schemas.ReasonOversize},
	}
	for _, e := range r.classified.All() {
		d := e.Data.Decision
		if d.Verdict != want[e.UID].Verdict || d.Reason != want[e.UID].Reason || (d.Verdict == schemas.Accepted) != (len(d.Clones) == 1) || d.Revision == 0 || d.ClassifiedAt.IsZero() {
			t.Errorf("UID %d: %+v", e.UID, d)
		}
		if e.UID != 2 && (len(d.Recipients) != 1 || string(e.Data.Mail) != string(mine)) {
			t.Errorf("UID %d: recipients %v, %d bytes of mail", e.UID, d.Recipients, len(e.Data.Mail))
		}
	}
}

func TestFolderThatIsAddedMatchesWithinASecond(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run()
	raw := []byte("To: sales@example.com\r\n\r\nhello")
	r.publish(fetched("info", 1, "", raw))
	r.Eventually("it is classified", func() bool { return r.classified.Len() == 1 })
	r.PutFolder("sales", "sales@example.com")
	r.mailbox.Folders = append(r.mailbox.Folders, "sales")
	r.PutMailbox(r.mailbox, secret.NewString("pw"))
	for uid, deadline := uint32(2), time.Now().Add(time.Second); ; uid++ {
		n := r.classified.Len()
		r.publish(fetched("info", uid, "", raw))
		r.Eventually("it is classified", func() bool { return r.classified.Len() > n })
		if last := r.classified.All()[n].Data.Decision; last.Verdict == schemas.Accepted {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the new folder does not match")
		}
	}
}

func TestMailOfAnUnknownMailboxIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run()
	r.publish(fetched("unknown", 1, "", imaptest.Message(1, 300)))
	r.Eventually("it waits for another attempt", func() bool { return r.Left(schemas.StreamRetry) == 1 && r.Left(schemas.StreamFetchedLight) == 0 })
	if r.parked.Len() != 0 || r.classified.Len() != 0 {
		t.Errorf("%d dead letters, %d classified", r.parked.Len(), r.classified.Len())
	}
}

func TestMailOfADeletedMailboxEndsWell(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.DeleteMailbox(r.mailbox, secret.NewString("pw"))
	r.run()
	r.publish(fetched("info", 1, "", imaptest.Message(1, 300)))
	r.Eventually("it is classified", func() bool { return r.classified.Len() == 1 })
}

func TestGarbageIsADeadLetter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run()
	msg := &nats.Msg{Subject: schemas.SubjectFetched(schemas.Light, tenant, "info"), Data: []byte("garbage"), Header: nats.Header{"ce-type": {"who knows"}}}
	if _, err := r.Conn.JetStream().PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	r.Eventually("it is given up", func() bool {
		letters, err := r.Conn.DeadLetters(t.Context(), bus.DeadQuery{Stage: schemas.StageClassifier})
		return err == nil && len(letters) == 1 && r.Left(schemas.StreamFetchedLight) == 0
	})
}

func TestPanicIsAnErrorOfThisMail(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.publish(fetched("info", 1, "", imaptest.Message(1, 300)))
	s, err := r.Conn.Subscribe(t.Context(), bus.Source{Stage: schemas.StageClassifier, Stream: schemas.StreamFetchedLight, Durable: bus.Durable(schemas.StageClassifier, schemas.Light)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	broken := &lane{} // has no tables
	if err := broken.classify(t.Context(), <-s.Messages()); err == nil || !strings.Contains(err.Error(), "classifying: panic: ") {
		t.Errorf("classify = %v", err)
	}
}

func TestAcknowledgedOnlyWhenHandedOn(t *testing.T) {
	t.Parallel()
	r := newDeafRig(t)
	r.run()
	if err := r.Conn.JetStream().DeleteStream(t.Context(), schemas.StreamClassifiedLight); err != nil {
		t.Fatal(err)
	}
	r.publish(fetched("info", 1, "", imaptest.Message(1, 300)))
	r.Eventually("it waits", func() bool { return r.Logs.FilterMessage("publishing waits").Len() > 0 })
	if n := r.Left(schemas.StreamFetchedLight); n != 1 {
		t.Errorf("%d messages left: acknowledged before it was handed on", n)
	}
	r.NATS.Provision(t)
	r.Eventually("it is handed on", func() bool {
		return r.Left(schemas.StreamClassifiedLight) == 1 && r.Left(schemas.StreamFetchedLight) == 0
	})
}

func TestStopWhileNothingCanBeHandedOnGivesTheMailBackAtOnce(t *testing.T) {
	t.Parallel()
	r := newDeafRig(t)
	stop := r.run()
	if err := r.Conn.JetStream().DeleteStream(t.Context(), schemas.StreamClassifiedLight); err != nil {
		t.Fatal(err)
	}
	r.publish(fetched("info", 1, "", imaptest.Message(1, 300)))
	r.Eventually("it waits", func() bool { return r.Logs.FilterMessage("publishing waits").Len() > 0 })
	began := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if n, retries := r.Left(schemas.StreamFetchedLight), r.Left(schemas.StreamRetry); n != 1 || retries != 0 {
		t.Errorf("%d messages are left and %d wait for a retry; want 1, 0", n, retries)
	}
	r.NATS.Provision(t)
	r.run()
	r.Eventually("the next one hands it on", func() bool {
		return r.Left(schemas.StreamClassifiedLight) == 1 && r.Left(schemas.StreamFetchedLight) == 0
	})
}
