package fetcher

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/servicetest"
)

const tenant = servicetest.Tenant

// A rig is a fetcher with a mailbox on a demo server.
type rig struct {
	*servicetest.Bench
	t                      *testing.T
	server                 *imaptest.Server
	wire                   *wire
	parkTime, reselectTime time.Duration
	memory                 int64
	registry               prometheus.Registerer // nil: none
	mailbox                config.Mailbox
	fetched                *servicetest.Events[schemas.MailFetched]
	parked                 *servicetest.Events[schemas.MailParked]
	states                 *servicetest.Events[schemas.MailboxStateChanged]
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{Bench: servicetest.New(t), t: t, server: imaptest.Demo(t, imaptest.Options{NoTLS: true})}
	r.wire = newWire(r.Mail().Dial)
	r.PutFolder("support", "support@example.com")
	r.mailbox = servicetest.Mailbox("info", r.server.Target("u1"), "support")
	r.mailbox.ConnectRetries = 100
	r.fetched = servicetest.Listen[schemas.MailFetched](r.Bench, "mail.v1.fetched.>")
	r.parked = servicetest.Listen[schemas.MailParked](r.Bench, "mail.v1.event.dead.>")
	r.states = servicetest.Listen[schemas.MailboxStateChanged](r.Bench, "mailbox.v1.event.>")
	return r
}

func (r *rig) put(password string) {
	r.t.Helper()
	r.PutMailbox(r.mailbox, secret.NewString(password))
}

// start runs a fetcher for the mailbox.
func (r *rig) start() (stop func() error) {
	r.t.Helper()
	r.put("pw1")
	return r.run()
}

func (r *rig) run() (stop func() error) {
	r.t.Helper()
	return r.Run(New(Config{
		Bus: r.Bus(), Redis: r.LeaseOptions(), Group: r.Group("one"), Mail: r.Mail(), Logger: r.Logger,
		IMAP: imapconn.Options{Dial: r.wire.dial}, parkTime: r.parkTime, reselectTime: r.reselectTime, memory: r.memory, Metrics: r.registry,
	}))
}

func (r *rig) state() (schemas.MailboxState, bool) {
	r.t.Helper()
	states, err := r.Redis.States(r.t.Context(), tenant)
	if err != nil {
		r.t.Fatal(err)
	}
	if len(states) == 0 {
		return schemas.MailboxState{}, false
	}
	return states[0], true
}

func (r *rig) awaitStatus(want schemas.MailboxStatus) schemas.MailboxState {
	r.t.Helper()
	r.Eventually("the mailbox is "+string(want), func() bool { s, _ := r.state(); return s.Status == want })
	s, _ := r.state()
	return s
}

// subjects returns the subjects of the mails that were fetched.
func (r *rig) subjects() map[string]int {
	got := map[string]int{}
	for _, e := range r.fetched.All() {
		_, after, _ := bytes.Cut(e.Mail, []byte("Subject: "))
		line, _, _ := bytes.Cut(after, []byte("\r\n"))
		got[string(line)]++
	}
	return got
}

func TestEachMailIsFetchedOnItsLaneAndNoBodyOfAnOversizeOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	small, big, blob := imaptest.Message(1, 500), imaptest.Message(2, 50_000), imaptest.Message(3, 400_000)
	huge := append(imaptest.Message(4, 6_100_000), "BODY-OF-THE-HUGE-ONE\r\n"...)
	r.wire.cuts["BODY-OF-THE-HUGE-ONE"] = 0 // only looked for
	r.server.Deliver("u1", huge, small, big, blob)
	r.start()
	r.Eventually("all are fetched", func() bool { return r.fetched.Len() == 4 })
	if r.wire.saw("BODY-OF-THE-HUGE-ONE") || r.wire.read.Load() > 1_000_000 {
		t.Errorf("the body of the oversize mail crossed the wire: %d bytes were read", r.wire.read.Load())
	}
	type outcome struct {
		lane   schemas.Lane
		reason schemas.Reason
		blob   bool
		mail   []byte
	}
	want := map[uint32]outcome{
		1: {schemas.Large, schemas.ReasonOversize, false, headerOf(huge)},
		2: {schemas.Light, "", false, small},
		3: {schemas.Large, "", false, big},
		4: {schemas.Large, "", true, headerOf(blob)},
	}
	sizes := map[uint32]int{1: len(huge), 2: len(small), 3: len(big), 4: len(blob)}
	for _, e := range r.fetched.All() {
		w := want[e.UID]
		if e.Lane != w.lane || e.Reason != w.reason || (e.DataRef != "") != w.blob || !bytes.Equal(e.Mail, w.mail) || e.Size != int64(sizes[e.UID]) {
			t.Errorf("UID %d: lane %s, reason %q, dataref %q, size %d, %d bytes of mail", e.UID, e.Lane, e.Reason, e.DataRef, e.Size, len(e.Mail))
		}
		read := e.Mail
		if e.DataRef != "" {
			read = r.blob(e.DataRef)
			if !bytes.Equal(read, blob) {
				t.Errorf("the blob holds %d bytes; want %d", len(read), len(blob))
			}
		}
		if sum := sha256.Sum256(read); e.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("UID %d: SHA-256 is not that of what was read", e.UID)
		}
	}
	r.Eventually("all are marked in flight", func() bool {
		n, err := r.Redis.CountMarks(t.Context(), tenant, "info", r.fetched.All()[0].UIDValidity)
		return err == nil && n == 4
	})
	if n := r.server.Count("u1", "INBOX"); n != 4 {
		t.Errorf("the inbox holds %d mails; the fetcher must leave all 4", n)
	}
	for _, m := range r.server.Mails("u1", "INBOX") {
		for _, f := range m.Flags {
			if f == imap.FlagSeen {
				t.Errorf("UID %d was marked as seen", m.UID)
			}
		}
	}
}

func headerOf(raw []byte) []byte {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	return append(bytes.Clone(head), "\r\n\r\n"...)
}

func (r *rig) blob(name string) []byte {
	r.t.Helper()
	blobs, err := r.Conn.Blobs(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	reader, err := blobs.Get(r.t.Context(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	defer reader.Close()
	raw, err := io.ReadAll(reader)
	if err != nil {
		r.t.Fatal(err)
	}
	return raw
}

func TestMailInFlightIsNotFetchedAgainByTheNextReplica(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.server.Deliver("u1", imaptest.Messages(1, 20, 500)...)
	stop := r.start()
	r.Eventually("all are fetched", func() bool { return r.fetched.Len() == 20 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	r.run()
	r.server.Deliver("u1", imaptest.Message(21, 500))
	r.Eventually("the new mail is fetched", func() bool { return r.subjects()["mail 21"] == 1 })
	if n := r.fetched.Len(); n != 21 {
		t.Errorf("%d downloads of 21 mails", n)
	}
}

func TestConnectionLostInTheMiddleOfABodyCostsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.wire.cuts["line of mail 3 "] = 1
	r.server.Deliver("u1", imaptest.Messages(1, 5, 500)...)
	r.start()
	r.Eventually("all are fetched", func() bool { return len(r.subjects()) == 5 })
	for subject, n := range r.subjects() {
		if n != 1 {
			t.Errorf("%s was published %d times", subject, n)
		}
	}
	if r.parked.Len() != 0 {
		t.Error("a lost connection made a dead letter")
	}
}

func TestPoisonMailIsParkedWhileTheOthersFlow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.parkTime = time.Second
	r.wire.cuts["line of mail 2 "] = -1 // the connection never survives it
	r.server.Deliver("u1", imaptest.Messages(1, 5, 500)...)
	r.start()
	r.Eventually("the others are fetched", func() bool { return len(r.subjects()) == 4 })
	if r.parked.Len() != 0 {
		t.Error("the others had to wait until it was parked")
	}
	for deadline := time.Now().Add(40 * time.Second); r.parked.Len() == 0 && time.Now().Before(deadline); {
		<-time.After(50 * time.Millisecond)
	}
	parked := r.parked.All()
	if len(parked) != 1 || parked[0].Data.Stage != schemas.StageFetcher || len(parked[0].Data.UIDs) != 1 || parked[0].Data.UIDs[0] != 2 {
		t.Fatalf("parked: %+v", parked)
	}
	r.server.Deliver("u1", imaptest.Message(6, 500))
	r.Eventually("mail flows after that", func() bool { return r.subjects()["mail 6"] == 1 })
	for deadline := time.Now().Add(2 * settleTime); ; <-time.After(50 * time.Millisecond) {
		if s, _ := r.state(); s.Parked == 1 && s.Waiting == 0 {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("the state does not tell of it: %+v", s)
		}
	}
	if got := r.subjects(); len(got) != 5 || got["mail 2"] != 0 {
		t.Errorf("fetched: %v", got)
	}
}

func TestBodyThatIsLargerThanAnnouncedIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	huge := imaptest.Message(1, 7_500_000)
	r.wire.lies[fmt.Sprintf("RFC822.SIZE %d", len(huge))] = fmt.Sprintf("RFC822.SIZE %07d", 200_000)
	r.server.Deliver("u1", huge, imaptest.Message(2, 50_000))
	r.start()
	r.Eventually("both are fetched", func() bool { return len(r.subjects()) == 2 })
	for _, e := range r.fetched.All() {
		if e.UID == 1 && (e.Reason != schemas.ReasonOversize || !bytes.Equal(e.Mail, headerOf(huge))) {
			t.Errorf("reason %q with %d bytes of mail", e.Reason, len(e.Mail))
		}
	}
}

func TestStateIsToldOncePerStatusAndNeverTellsASecret(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.put("hunter2-wrong")
	r.run()
	s := r.awaitStatus(schemas.StatusAuthFailed)
	if s.NextAttempt == nil || s.Detail == "" || strings.Contains(s.Detail, "hunter2") || s.Replica == "" {
		t.Fatalf("state = %+v", s)
	}
	next := s.NextAttempt
	r.put("pw1")
	s = r.awaitStatus(schemas.StatusLive)
	if !time.Now().Before(*next) {
		t.Error("the right password waited for the next attempt with the wrong one")
	}
	if s.Detail != "" || s.NextAttempt != nil || s.LastSuccess == nil {
		t.Errorf("state = %+v", s)
	}
	r.server.Deliver("u1", imaptest.Message(1, 500))
	r.Eventually("the mail is fetched", func() bool { return r.fetched.Len() == 1 })

	r.mailbox.Enabled = false
	r.put("pw1")
	r.awaitStatus(schemas.StatusDisabled)
	dials := r.wire.dialled()
	r.server.Deliver("u1", imaptest.Message(2, 500))
	r.mailbox.Enabled = true
	r.put("pw1")
	r.Eventually("the next mail is fetched", func() bool { return r.fetched.Len() == 2 })
	if r.wire.dialled() == dials {
		t.Error("a disabled mailbox kept its connection")
	}
	r.awaitStatus(schemas.StatusLive)
	r.DeleteMailbox(r.mailbox, secret.NewString("pw1"))
	r.Eventually("the state of the deleted mailbox is gone", func() bool { _, ok := r.state(); return !ok })

	var told []schemas.MailboxStatus
	for _, e := range r.states.All() {
		told = append(told, e.Data.Status)
		if strings.Contains(fmt.Sprint(e), "hunter2") {
			t.Errorf("an event tells the password: %+v", e)
		}
	}
	for i := range told[1:] {
		if told[i] == told[i+1] {
			t.Errorf("told twice in a row: %v", told)
		}
	}
	for _, e := range r.Logs.All() {
		if strings.Contains(fmt.Sprint(e), "hunter2") {
			t.Errorf("the log tells the password: %v", e)
		}
	}
}

func TestWrongServerIsTriedAgainAtOnceWhenTheConfigurationChanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	port := r.mailbox.IMAP.Port
	r.mailbox.IMAP.Port, r.mailbox.ConnectRetries = 1, 0
	r.put("pw1")
	r.run()
	s := r.awaitStatus(schemas.StatusUnreachable)
	if s.NextAttempt == nil || time.Until(*s.NextAttempt) < 40*time.Second {
		t.Errorf("next attempt %v; want the slow schedule", s.NextAttempt)
	}
	r.mailbox.IMAP.Port = port
	r.put("pw1")
	r.awaitStatus(schemas.StatusLive)
}

func TestMailBeforeImportSinceIsLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old := time.Date(2026, 1, 30, 23, 59, 59, 0, time.UTC)
	r.server.Append("u1", "INBOX", imaptest.Message(1, 500), imap.AppendOptions{Time: old})
	r.server.Append("u1", "INBOX", imaptest.Message(2, 500), imap.AppendOptions{Time: old.Add(time.Second)})
	r.mailbox.ImportSince = "2026-01-31"
	r.start()
	r.Eventually("the newer one is fetched", func() bool { return r.subjects()["mail 2"] == 1 })
	r.server.Deliver("u1", imaptest.Message(3, 500))
	r.Eventually("a new one is fetched", func() bool { return r.subjects()["mail 3"] == 1 })
	if r.fetched.Len() != 2 {
		t.Errorf("fetched %v", r.subjects())
	}
}

func TestStreamsMadeAnewMeanFetchedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.server.Deliver("u1", imaptest.Messages(1, 3, 500)...)
	stop := r.start()
	r.Eventually("all are fetched", func() bool { return r.fetched.Len() == 3 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	uidvalidity := r.fetched.All()[0].UIDValidity
	if err := r.Conn.JetStream().DeleteStream(t.Context(), schemas.StreamFetchedLight); err != nil {
		t.Fatal(err)
	}
	r.NATS.Provision(t)
	r.run()
	r.Eventually("what was in flight is fetched again", func() bool { return r.fetched.Len() == 6 })
	if again := r.fetched.All()[3]; again.UIDValidity != uidvalidity || again.Generation == r.fetched.All()[0].Generation {
		t.Errorf("fetched again as %s, generation %d", again.Key(), again.Generation)
	}
}

// A publication may begin on streams that are lost before it ends. It waits for
// the new ones, but what the old ones had taken is gone with them.
func TestStreamsMadeAnewInTheMiddleOfAPublicationMeanFetchedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var seen atomic.Bool
	r.Logger = r.Logger.WithOptions(zap.Hooks(func(e zapcore.Entry) error {
		if strings.Contains(e.Message, "made anew") {
			seen.Store(true)
		}
		return nil
	}))
	js := r.Conn.JetStream()
	r.start()
	r.awaitStatus(schemas.StatusLive)
	if err := js.DeleteStream(t.Context(), schemas.StreamFetchedLight); err != nil {
		t.Fatal(err)
	}
	r.server.Deliver("u1", imaptest.Messages(1, 3, 500)...)
	r.Eventually("all are being published", func() bool { return r.fetched.Len() >= 3 })
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: schemas.StreamFetchedLight, Subjects: []string{"not.yet"}}); err != nil {
		t.Fatal(err)
	}
	r.Eventually("the fetcher has seen the new stream", seen.Load)
	if err := js.DeleteStream(t.Context(), schemas.StreamFetchedLight); err != nil {
		t.Fatal(err)
	}
	r.NATS.Provision(t)
	r.Eventually("all are fetched again", func() bool {
		downloads := map[string]bool{}
		for _, m := range r.fetched.All() {
			downloads[fmt.Sprint(m.UID, m.Generation)] = true
		}
		return len(downloads) >= 6
	})
}
