package bus

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/schemas"
)

// Topology is every stream, bucket and durable consumer of mailyard, as data.
type Topology struct {
	Streams   []jetstream.StreamConfig
	Consumers []Consumer
}

// A Consumer is a durable pull consumer of a stream.
type Consumer struct {
	Stream string
	Config jetstream.ConsumerConfig
}

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
	day = 24 * time.Hour
)

const (
	// mailMessageBytes is the largest message of a mail stream, headers
	// included: what the server takes at all. MaxPayload holds 256 KiB of mail
	// inline, the decision, and, in a dead letter, the headers of both.
	mailMessageBytes = 1 * mib
	// parkedTTL is how long a mail stays parked; a dead letter lives as long.
	parkedTTL = 30 * day
	// markerTTL is how long the marker of a removed key stays, for watchers.
	markerTTL = time.Minute
)

// MaxDeliver bounds the deliveries of a message without an outcome: the process
// that had it died, hung, or was stopped each time. Most of them are innocent and
// lay beside the one that is to blame: a stage handles alone what was delivered
// often, and deliveries have to be left for that.
const MaxDeliver = 20

const (
	laneDispose  = "dispose"
	laneDisposed = "disposed"

	// durableAdvisories reads the server's MAX_DELIVERIES advisories.
	durableAdvisories = "advisories"
	subjectAdvisory   = "$JS.EVENT.ADVISORY.CONSUMER."
	advisoryExhausted = subjectAdvisory + "MAX_DELIVERIES."

	retryScheduled = "mail.v1.retry.sched."
	retryDue       = "mail.v1.retry.due."
)

// DurablePersisterDisposed is the consumer on EVENTS by which the persister
// records disposals.
const DurablePersisterDisposed = "persister-" + laneDisposed

// Durable names the consumer of a stage and lane, on the stage's stream and on RETRY.
func Durable(s schemas.Stage, l schemas.Lane) string { return string(s) + "-" + string(l) }

// DurableDispose names the consumer of a partition of DISPOSE, from 0.
func DurableDispose(partition int) string {
	return fmt.Sprintf("%s-%02d", schemas.StageDisposer, partition)
}

// DefaultTopology is what a deployment needs, with byte limits for a server of
// 100 GiB; see Fit. Replicas is 1 or, in a cluster, 3. Blobs are never
// replicated: the mail is still in the inbox.
func DefaultTopology(replicas int) Topology {
	replicas = max(replicas, 1)
	streams := []jetstream.StreamConfig{
		mailStream(schemas.StreamFetchedLight, "mail.v1.fetched.light.>", 8*gib),
		mailStream(schemas.StreamFetchedLarge, "mail.v1.fetched.large.>", 16*gib),
		mailStream(schemas.StreamClassifiedLight, "mail.v1.classified.light.>", 8*gib),
		mailStream(schemas.StreamClassifiedLarge, "mail.v1.classified.large.>", 16*gib),
		{
			Name:      schemas.StreamDispose,
			Subjects:  []string{disposePrefix + "*.*"},
			Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
			MaxBytes: 2 * gib, MaxAge: 7 * day, MaxMsgSize: 64 * kib, Duplicates: 15 * time.Minute,
			SubjectTransform: &jetstream.SubjectTransformConfig{
				Source:      disposePrefix + "*.*",
				Destination: fmt.Sprintf("%s{{partition(%d,1,2)}}.{{wildcard(1)}}.{{wildcard(2)}}", disposePrefix, schemas.DisposePartitions),
			},
		},
		{
			// A stream with schedules cannot discard new messages (nats-server
			// 2.15, stream.go); schedule keeps it from ever discarding old ones.
			Name:      schemas.StreamRetry,
			Subjects:  []string{retryScheduled + ">", retryDue + ">"},
			Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardOld,
			MaxBytes: 8 * gib, MaxAge: 7 * day, MaxMsgSize: 1 * mib, Duplicates: 5 * time.Minute,
			AllowMsgSchedules: true, AllowMsgTTL: true, AllowRollup: true,
		},
		eventStream(schemas.StreamDead, 4*gib, 30*day, "mail.v1.dead.>"),
		eventStream(schemas.StreamEvents, 4*gib, 3*day, "mail.v1.event.>", "mailbox.v1.event.>"),
		eventStream(schemas.StreamConfigEvents, 1*gib, 30*day, "config.v1.changed.>"),
		eventStream(schemas.StreamAdvisory, 100*mib, 7*day, advisoryExhausted+">", subjectAdvisory+"MSG_TERMINATED.>"),
		// No history: it would keep the keys and passwords that were replaced.
		bucket(schemas.BucketConfig, 1, 1*gib),
		controlBucket(),
		blobBucket(32 * gib),
	}
	for i := range streams {
		streams[i].Storage = jetstream.FileStorage
		streams[i].Replicas = replicas
		if streams[i].Name == streamBlob {
			streams[i].Replicas = 1
		}
	}
	return Topology{Streams: streams, Consumers: consumers()}
}

func mailStream(name, subject string, bytes int64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: name, Subjects: []string{subject},
		Retention: jetstream.WorkQueuePolicy, Discard: jetstream.DiscardNew,
		MaxBytes: bytes, MaxAge: day, MaxMsgSize: mailMessageBytes, Duplicates: 5 * time.Minute,
	}
}

func eventStream(name string, bytes int64, age time.Duration, subjects ...string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: name, Subjects: subjects,
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardOld,
		MaxBytes: bytes, MaxAge: age, MaxMsgSize: 1 * mib, Duplicates: 2 * time.Minute,
		AllowDirect: true,
	}
}

// The streams behind the buckets and the object store.
const (
	streamConfig  = "KV_" + schemas.BucketConfig
	streamControl = "KV_" + schemas.BucketControl
	streamBlob    = "OBJ_" + schemas.BucketBlob
)

// bucket is a key-value bucket (NATS ADR-8).
func bucket(name string, history, bytes int64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: "KV_" + name, Subjects: []string{"$KV." + name + ".>"},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxBytes: bytes, MaxMsgsPerSubject: history, Duplicates: 2 * time.Minute,
		AllowRollup: true, DenyDelete: true, AllowDirect: true,
	}
}

// controlBucket has a TTL per key (NATS ADR-43). Its history must be 1, or the
// marker's TTL becomes the least TTL of a key.
func controlBucket() jetstream.StreamConfig {
	s := bucket(schemas.BucketControl, 1, 64*mib)
	s.AllowMsgTTL, s.SubjectDeleteMarkerTTL = true, markerTTL
	return s
}

// blobBucket is an object store (NATS ADR-20).
func blobBucket(bytes int64) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: streamBlob, Subjects: []string{"$O." + schemas.BucketBlob + ".C.>", "$O." + schemas.BucketBlob + ".M.>"},
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxBytes: bytes, MaxAge: day, Duplicates: 2 * time.Minute,
		AllowRollup: true, AllowDirect: true,
	}
}

func consumers() []Consumer {
	var cs []Consumer
	add := func(stream, durable, filter string, deliver, pending int, waits ...time.Duration) {
		cs = append(cs, Consumer{Stream: stream, Config: jetstream.ConsumerConfig{
			Durable: durable, FilterSubject: filter,
			DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckExplicitPolicy,
			AckWait: waits[0], BackOff: backOff(waits), MaxDeliver: deliver, MaxAckPending: pending,
		}})
	}
	const s, m = time.Second, time.Minute
	light, large := schemas.Light, schemas.Large

	add(schemas.StreamFetchedLight, Durable(schemas.StageClassifier, light), "", MaxDeliver, 5000, 30*s, 1*m, 2*m)
	add(schemas.StreamFetchedLarge, Durable(schemas.StageClassifier, large), "", MaxDeliver, 64, 2*m)
	add(schemas.StreamClassifiedLight, Durable(schemas.StagePersister, light), "", MaxDeliver, 5000, 1*m, 2*m, 5*m)
	add(schemas.StreamClassifiedLarge, Durable(schemas.StagePersister, large), "", MaxDeliver, 64, 3*m)
	add(schemas.StreamEvents, DurablePersisterDisposed, "mail.v1.event.disposed.>", MaxDeliver, 1000, 1*m, 2*m, 5*m)
	for p := range schemas.DisposePartitions {
		add(schemas.StreamDispose, DurableDispose(p), fmt.Sprintf("%s%d.>", disposePrefix, p), MaxDeliver, 1000, 2*m)
	}
	retry := func(stage schemas.Stage, lane string, pending int, wait time.Duration) {
		add(schemas.StreamRetry, string(stage)+"-"+lane, retryDue+string(stage)+"."+lane, MaxDeliver, pending, wait)
	}
	retry(schemas.StageClassifier, string(light), 256, 30*s)
	retry(schemas.StageClassifier, string(large), 64, 2*m)
	retry(schemas.StagePersister, string(light), 256, 1*m)
	retry(schemas.StagePersister, string(large), 64, 3*m)
	retry(schemas.StagePersister, laneDisposed, 256, 1*m)
	// What these two do is publish: a full stream is not the message's fault.
	add(schemas.StreamRetry, string(schemas.StageDisposer)+"-"+laneDispose, retryDue+string(schemas.StageDisposer)+"."+laneDispose, -1, 256, 30*s)
	add(schemas.StreamAdvisory, durableAdvisories, advisoryExhausted+">", -1, 64, 1*m)
	return cs
}

// backOff is nil for a single wait: the ack wait says it all.
func backOff(waits []time.Duration) []time.Duration {
	if len(waits) == 1 {
		return nil
	}
	return waits
}
