package bus

import (
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// The settings that Provision compares and sets. The server fills in defaults
// for all others and adds metadata of its own, so that whole configurations
// never compare equal.

func streamSettings(c jetstream.StreamConfig) map[string]string {
	transform := "none"
	if c.SubjectTransform != nil {
		transform = c.SubjectTransform.Source + " -> " + c.SubjectTransform.Destination
	}
	return printed(map[string]any{
		"subjects": c.Subjects, "retention": c.Retention, "discard": c.Discard,
		"max_bytes": c.MaxBytes, "max_age": c.MaxAge, "max_msg_size": unlimited(c.MaxMsgSize),
		"max_msgs_per_subject": unlimited(c.MaxMsgsPerSubject), "storage": c.Storage, "num_replicas": c.Replicas,
		"duplicate_window": c.Duplicates, "subject_transform": transform,
		"allow_msg_schedules": c.AllowMsgSchedules, "allow_msg_ttl": c.AllowMsgTTL,
		"allow_rollup_hdrs": c.AllowRollup, "deny_delete": c.DenyDelete, "allow_direct": c.AllowDirect,
		"subject_delete_marker_ttl": c.SubjectDeleteMarkerTTL,
	})
}

func overlayStream(have, want jetstream.StreamConfig) jetstream.StreamConfig {
	have.Subjects, have.Retention, have.Discard = want.Subjects, want.Retention, want.Discard
	have.MaxBytes, have.MaxAge, have.MaxMsgSize = want.MaxBytes, want.MaxAge, want.MaxMsgSize
	have.MaxMsgsPerSubject, have.Storage, have.Replicas = want.MaxMsgsPerSubject, want.Storage, want.Replicas
	have.Duplicates, have.SubjectTransform = want.Duplicates, want.SubjectTransform
	have.AllowMsgSchedules, have.AllowMsgTTL = want.AllowMsgSchedules, want.AllowMsgTTL
	have.AllowRollup, have.DenyDelete, have.AllowDirect = want.AllowRollup, want.DenyDelete, want.AllowDirect
	have.SubjectDeleteMarkerTTL = want.SubjectDeleteMarkerTTL
	return have
}

func consumerSettings(c jetstream.ConsumerConfig) map[string]string {
	return printed(map[string]any{
		"filter_subject": c.FilterSubject, "deliver_policy": c.DeliverPolicy, "ack_policy": c.AckPolicy,
		"ack_wait": c.AckWait, "backoff": c.BackOff, "max_deliver": c.MaxDeliver, "max_ack_pending": c.MaxAckPending,
	})
}

func overlayConsumer(have, want jetstream.ConsumerConfig) jetstream.ConsumerConfig {
	have.FilterSubject, have.DeliverPolicy, have.AckPolicy = want.FilterSubject, want.DeliverPolicy, want.AckPolicy
	have.AckWait, have.BackOff = want.AckWait, want.BackOff
	have.MaxDeliver, have.MaxAckPending = want.MaxDeliver, want.MaxAckPending
	return have
}

// unlimited is how the server spells a limit that is not set.
func unlimited[T int32 | int64](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

func printed(settings map[string]any) map[string]string {
	out := make(map[string]string, len(settings))
	for name, value := range settings {
		out[name] = fmt.Sprint(value)
	}
	return out
}
