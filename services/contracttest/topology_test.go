package contracttest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/nats-io/nats.go/jetstream"
	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/pkg/bus"
	"github.com/mailyard/mailyard/schemas"
)

// clusterReplicas is what a stream has in a cluster unless the map says otherwise.
const clusterReplicas = 3

// stream is an entry of x-jetstream in asyncapi.yaml. Whatever is written there
// has a field here, so that nothing of it goes unchecked.
type stream struct {
	Subjects        []string
	Transform       string
	Retention       string
	Discard         string
	MaxBytes        size     `yaml:"maxBytes"`
	MaxAge          duration `yaml:"maxAge"`
	MaxMsgSize      size     `yaml:"maxMsgSize"`
	DuplicateWindow duration `yaml:"duplicateWindow"`
	MarkerTTL       duration `yaml:"markerTTL"`
	History         int64
	Replicas        int
	Allow           []string
	Deny            []string
	Consumers       map[string]consumer
}

type consumer struct {
	Service       string
	Filter        string
	Partitions    int
	AckWait       duration `yaml:"ackWait"`
	Backoff       []duration
	MaxDeliver    int `yaml:"maxDeliver"`
	MaxAckPending int `yaml:"maxAckPending"`
}

// The map says exactly what the provisioner creates: every stream, bucket and
// consumer with every setting, neither more nor fewer.
func TestTopologyIsTheMaps(t *testing.T) {
	t.Parallel()
	onTheMap := topology(t)
	inGo := bus.DefaultTopology(clusterReplicas)
	if diff := cmp.Diff(onTheMap, inGo,
		cmpopts.SortSlices(func(a, b jetstream.StreamConfig) bool { return a.Name < b.Name }),
		cmpopts.SortSlices(func(a, b bus.Consumer) bool {
			return a.Stream+a.Config.Durable < b.Stream+b.Config.Durable
		}),
		cmpopts.EquateEmpty(),
	); diff != "" {
		t.Errorf("asyncapi.yaml (-) and bus.DefaultTopology (+) differ:\n%s", diff)
	}
}

func TestEveryConsumerIsServedByWhoIsNamed(t *testing.T) {
	t.Parallel()
	for name, s := range readStreams(t) {
		for durable, c := range s.Consumers {
			switch c.Service {
			case schemas.ServiceAdmin:
			default:
				if !strings.HasPrefix(durable, c.Service+"-") {
					t.Errorf("%s of %s is served by %q, whose name it does not bear", durable, name, c.Service)
				}
			}
		}
	}
}

func readStreams(t *testing.T) map[string]stream {
	t.Helper()
	var doc map[string]yaml.Node
	if err := yaml.Unmarshal([]byte(schemas.AsyncAPI), &doc); err != nil {
		t.Fatal(err)
	}
	node := doc["x-jetstream"]
	raw, err := yaml.Marshal(&node)
	if err != nil {
		t.Fatal(err)
	}
	var streams map[string]stream
	d := yaml.NewDecoder(strings.NewReader(string(raw)))
	d.KnownFields(true)
	if err := d.Decode(&streams); err != nil {
		t.Fatal(err)
	}
	return streams
}

func topology(t *testing.T) bus.Topology {
	t.Helper()
	var found bus.Topology
	for name, s := range readStreams(t) {
		found.Streams = append(found.Streams, s.config(t, name))
		for durable, c := range s.Consumers {
			for p := range max(c.Partitions, 1) {
				found.Consumers = append(found.Consumers, c.config(name, durable, p))
			}
		}
	}
	return found
}

func (s stream) config(t *testing.T, name string) jetstream.StreamConfig {
	t.Helper()
	c := jetstream.StreamConfig{
		Name: name, Subjects: s.Subjects, Storage: jetstream.FileStorage, Replicas: clusterReplicas,
		MaxBytes: int64(s.MaxBytes), MaxAge: time.Duration(s.MaxAge), MaxMsgSize: int32(s.MaxMsgSize),
		Duplicates: time.Duration(s.DuplicateWindow), SubjectDeleteMarkerTTL: time.Duration(s.MarkerTTL),
		MaxMsgsPerSubject: s.History,
	}
	if s.Replicas != 0 {
		c.Replicas = s.Replicas
	}
	retention := map[string]jetstream.RetentionPolicy{"workqueue": jetstream.WorkQueuePolicy, "limits": jetstream.LimitsPolicy}
	discard := map[string]jetstream.DiscardPolicy{"new": jetstream.DiscardNew, "old": jetstream.DiscardOld}
	var ok bool
	if c.Retention, ok = retention[s.Retention]; !ok {
		t.Errorf("%s: %q is no retention", name, s.Retention)
	}
	if c.Discard, ok = discard[s.Discard]; !ok {
		t.Errorf("%s: %q is no discard policy", name, s.Discard)
	}
	if from, to, ok := strings.Cut(s.Transform, " -> "); ok {
		c.SubjectTransform = &jetstream.SubjectTransformConfig{Source: from, Destination: to}
	}
	flags := map[string]*bool{"schedules": &c.AllowMsgSchedules, "ttl": &c.AllowMsgTTL, "rollup": &c.AllowRollup, "direct": &c.AllowDirect, "delete": &c.DenyDelete}
	for _, flag := range append(append([]string{}, s.Allow...), s.Deny...) {
		if flags[flag] == nil {
			t.Errorf("%s: %q can be neither allowed nor denied", name, flag)
			continue
		}
		*flags[flag] = true
	}
	return c
}

func (c consumer) config(stream, durable string, partition int) bus.Consumer {
	config := jetstream.ConsumerConfig{
		Durable:       strings.ReplaceAll(durable, "{partition}", fmt.Sprintf("%02d", partition)),
		FilterSubject: strings.ReplaceAll(c.Filter, "{partition}", strconv.Itoa(partition)),
		DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: time.Duration(c.AckWait), MaxDeliver: c.MaxDeliver, MaxAckPending: c.MaxAckPending,
	}
	for _, wait := range c.Backoff {
		config.BackOff = append(config.BackOff, time.Duration(wait))
	}
	return bus.Consumer{Stream: stream, Config: config}
}

// size is a number of bytes, written as 64KiB.
type size int64

func (s *size) UnmarshalText(text []byte) error {
	for unit, factor := range map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30} {
		if number, ok := strings.CutSuffix(string(text), unit); ok {
			n, err := strconv.ParseInt(number, 10, 32)
			*s = size(n * factor)
			return err
		}
	}
	return fmt.Errorf("%s is no size", text)
}

// duration is written as time.Duration is, or in days: 30d.
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.Atoi(days)
		*d = duration(time.Duration(n) * 24 * time.Hour)
		return err
	}
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}
