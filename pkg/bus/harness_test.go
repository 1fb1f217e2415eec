package bus_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/pkg/bus/bustest"
	"github.com/mailyard/mailyard/schemas"
)

func TestMain(m *testing.M) {
	// The cases wait for servers and disks, mostly: run more than there are processors.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// cases are run against an embedded server and, with the tag full, against a
// nats-server process. Every case has a server of its own.
func cases() map[string]func(*testing.T, *bustest.Server) {
	return map[string]func(*testing.T, *bustest.Server){
		"Blobs":                 testBlobs,
		"BlobReplaced":          testBlobReplaced,
		"BlobPutFails":          testBlobPutFails,
		"BlobSlowReader":        testBlobSlowReader,
		"BlobFull":              testBlobFull,
		"BlobCorrupted":         testBlobCorrupted,
		"BlobReaders":           testBlobReaders,
		"DeadAfterLastAttempt":  testDeadAfterLastAttempt,
		"Permanent":             testPermanent,
		"Undecodable":           testUndecodable,
		"DeadDispose":           testDeadDispose,
		"Advisory":              testAdvisory,
		"DeadLetterList":        testDeadLetterList,
		"DeadLettersOfATenant":  testDeadLettersOfATenant,
		"OddDeadQueries":        testOddDeadQueries,
		"ScanIncomplete":        testScanIncomplete,
		"StateHistory":          testStateHistory,
		"Services":              testServices,
		"Serve":                 testServe,
		"ServeRefuses":          testServeRefuses,
		"ServeDrains":           testServeDrains,
		"LargeLetter":           testLargeLetter,
		"Replay":                testReplay,
		"ReplayWithBlob":        testReplayWithBlob,
		"ParkedWatch":           testParkedWatch,
		"Probe":                 testProbe,
		"PublishAll":            testPublishAll,
		"PublishUntil":          testPublishUntil,
		"GiveUp":                testGiveUp,
		"SettleParts":           testSettleParts,
		"AwaitTopology":         testAwaitTopology,
		"Backlogs":              testBacklogs,
		"ProvisionIsIdempotent": testProvisionIsIdempotent,
		"ProvisionUpdates":      testProvisionUpdates,
		"ProvisionRefuses":      testProvisionRefuses,
		"ProvisionRepairs":      testProvisionRepairs,
		"Partitions":            testPartitions,
		"Epoch":                 testEpoch,
		"RoundTrip":             testRoundTrip,
		"Duplicate":             testDuplicate,
		"FullStream":            testFullStream,
		"TooLarge":              testTooLarge,
		"NoStream":              testNoStream,
		"Async":                 testAsync,
		"AsyncIsBounded":        testAsyncIsBounded,
		"Retry":                 testRetry,
		"RetrySurvivesRestart":  testRetrySurvivesRestart,
		"RetryOncePerMessage":   testRetryOncePerMessage,
		"RetrySchedule":         testRetrySchedule,
		"AckLast":               testAckLast,
		"Interrupted":           testInterrupted,
		"DisposeRetry":          testDisposeRetry,
		"Stop":                  testStop,
		"Nak":                   testNak,
		"InProgress":            testInProgress,
		"ServerRestart":         testServerRestart,
		"WipedStore":            testWipedStore,
		"ConsumerRecreated":     testConsumerRecreated,
		"SubscribeRefuses":      testSubscribeRefuses,
		"PullLimits":            testPullLimits,
		"StartStopStress":       testStartStopStress,
		"CloseStops":            testCloseStops,
	}
}

func TestEmbedded(t *testing.T) { runSuite(t, bustest.Start) }

func runSuite(t *testing.T, start func(testing.TB) *bustest.Server) {
	t.Parallel()
	for name, run := range cases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, start(t))
		})
	}
}

// patience is how long what must happen may take, on a machine with much else to
// do: a test that waits so long has failed.
const patience = time.Minute

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return v
	}
}

func check(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// eventually polls a condition until it holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("it never came true that %s", what)
		}
	}
}

func observed() (*zap.Logger, *observer.ObservedLogs) {
	core, logs := observer.New(zap.InfoLevel)
	return zap.New(core), logs
}

const (
	tenant  = "acme"
	mailbox = "support"
)

func fetched(uid uint32, body string) schemas.MailFetched {
	now := time.Now().UTC().Truncate(time.Microsecond)
	key := schemas.MailKey{Tenant: tenant, Mailbox: mailbox, UIDValidity: 7, UID: uid}
	return schemas.MailFetched{
		Attributes: schemas.Attributes{
			SpecVersion: schemas.SpecVersion, ID: key.ID(), Type: schemas.TypeMailFetched,
			Source: key.Source(), Subject: key.Subject(), Time: now,
			DataContentType: schemas.ContentMail, TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		},
		MailAttributes: schemas.MailAttributes{
			Tenant: tenant, Mailbox: mailbox, UIDValidity: 7, UID: uid, Lane: schemas.Light,
			Size: int64(len(body)), SHA256: "00", InternalDate: now, FetchedAt: now, Generation: now.UnixMilli(),
		},
		Mail: []byte(body),
	}
}

func disposal(action schemas.Action, uids ...uint32) schemas.MailDispose {
	return schemas.MailDispose{
		Attributes: schemas.Attributes{
			SpecVersion: schemas.SpecVersion, ID: fmt.Sprint(action, uids), Type: schemas.TypeMailDispose,
			Source: schemas.Source(tenant, mailbox), Time: time.Now().UTC(), DataContentType: schemas.ContentJSON,
		},
		Data: schemas.Dispose{Tenant: tenant, Mailbox: mailbox, UIDValidity: 7, Action: action, UIDs: uids},
	}
}

var fetchedSubject = schemas.SubjectFetched(schemas.Light, tenant, mailbox)

func key(uid uint32) schemas.MailKey {
	return schemas.MailKey{Tenant: tenant, Mailbox: mailbox, UIDValidity: 7, UID: uid}
}

var (
	classifierSource = bus.Source{Stage: schemas.StageClassifier, Stream: schemas.StreamFetchedLight, Durable: bus.Durable(schemas.StageClassifier, schemas.Light)}
	retrySource      = bus.Source{Stage: schemas.StageClassifier, Stream: schemas.StreamRetry, Durable: bus.Durable(schemas.StageClassifier, schemas.Light)}
)

func publishFetched(t *testing.T, c *bus.Conn, uids ...uint32) {
	t.Helper()
	for _, uid := range uids {
		check(t, c.Publish(testContext(t), fetchedSubject, fetched(uid, "Subject: x\r\n\r\nbody"), fmt.Sprint("f:", uid)))
	}
}

func subscribe(t *testing.T, c *bus.Conn, source bus.Source) *bus.Subscription {
	t.Helper()
	s := must(c.Subscribe(testContext(t), source))(t)
	t.Cleanup(s.Stop)
	return s
}

func receive(t *testing.T, s *bus.Subscription) *bus.Message {
	t.Helper()
	select {
	case m, ok := <-s.Messages():
		if !ok {
			t.Fatal("the subscription ended")
		}
		return m
	case <-time.After(patience):
		t.Fatal("no message came")
	}
	return nil
}

func uidOf(t *testing.T, m *bus.Message) uint32 {
	t.Helper()
	var e schemas.MailFetched
	check(t, m.Decode(&e))
	return e.UID
}

func messagesIn(t *testing.T, c *bus.Conn, stream string) uint64 {
	t.Helper()
	info := must(must(c.JetStream().Stream(testContext(t), stream))(t).Info(testContext(t)))(t)
	return info.State.Msgs
}

// last returns the newest message on a subject, which may have wildcards.
func last(t *testing.T, c *bus.Conn, stream, subject string) *jetstream.RawStreamMsg {
	t.Helper()
	s := must(c.JetStream().Stream(testContext(t), stream))(t)
	return must(s.GetLastMsgForSubject(testContext(t), subject))(t)
}

// alter provisions the default topology with one stream or consumer changed.
func alter(t *testing.T, srv *bustest.Server, stream func(*jetstream.StreamConfig), consumer func(*bus.Consumer)) {
	t.Helper()
	topology := srv.Topology()
	for i := range topology.Streams {
		if stream != nil {
			stream(&topology.Streams[i])
		}
	}
	for i := range topology.Consumers {
		if consumer != nil {
			consumer(&topology.Consumers[i])
		}
	}
	srv.ProvisionWith(t, topology)
}
