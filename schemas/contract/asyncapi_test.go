package contract_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/apply"
)

// messageMap is what these tests read of asyncapi.yaml.
type messageMap struct {
	Channels map[string]struct {
		Address    string
		Parameters map[string]struct {
			Ref  string `yaml:"$ref"`
			Enum []string
		}
		Messages  map[string]reference
		JetStream struct{ Streams []string } `yaml:"x-jetstream"`
		Terminal  bool                       `yaml:"x-terminal"`
		Again     bool                       `yaml:"x-redelivery"`
		Asked     bool                       `yaml:"x-request-reply"`
	}
	Operations map[string]struct {
		Action  string
		Channel reference
		Reply   struct{ Channel reference }
		Service string `yaml:"x-service"`
	}
	Components struct {
		Parameters map[string]struct{ Enum []string }
		Messages   map[string]struct {
			Name        string
			ContentType string `yaml:"contentType"`
			Payload     struct{ Schema reference }
		}
	}
	JetStream map[string]struct {
		Subjects   []string
		MaxMsgSize size `yaml:"maxMsgSize"`
	} `yaml:"x-jetstream"`
}

type reference struct {
	Ref string `yaml:"$ref"`
}

func (r reference) name() string { return path.Base(r.Ref) }

// size is a number of bytes, written as 64KiB. Zero: no limit but the server's.
type size int

func (s *size) UnmarshalText(text []byte) error {
	number, unit := strings.TrimRight(string(text), "KMGiB"), 1
	for _, prefix := range []string{"KiB", "MiB", "GiB"} {
		if unit *= 1024; strings.HasSuffix(string(text), prefix) {
			n, err := strconv.Atoi(number)
			*s = size(n * unit)
			return err
		}
	}
	return fmt.Errorf("%s is no size", text)
}

func number(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	i, _ := n.Int64()
	return int(i)
}

func readMap(t *testing.T) messageMap {
	t.Helper()
	var m messageMap
	if err := yaml.Unmarshal([]byte(schemas.AsyncAPI), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestEveryReferenceOfTheMapResolves(t *testing.T) {
	t.Parallel()
	var doc any
	if err := yaml.Unmarshal([]byte(schemas.AsyncAPI), &doc); err != nil {
		t.Fatal(err)
	}
	count := 0
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				count++
				resolve(t, doc, ref)
			}
			for _, child := range v {
				walk(child)
			}
		case []any:
			for _, child := range v {
				walk(child)
			}
		}
	}
	walk(doc)
	if count < 50 {
		t.Errorf("only %d references were found", count)
	}
}

func resolve(t *testing.T, doc any, ref string) {
	t.Helper()
	pointer, local := strings.CutPrefix(ref, "#/")
	if !local {
		if _, err := fs.Stat(os.DirFS(".."), path.Clean(ref)); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
		return
	}
	for token := range strings.SplitSeq(pointer, "/") {
		object, _ := doc.(map[string]any)
		if doc = object[token]; doc == nil {
			t.Errorf("%s does not resolve", ref)
			return
		}
	}
}

// The registry in Go and the map agree about every event: subject, streams,
// content type, schema, senders and receivers.
func TestEventsAreTheMapsEvents(t *testing.T) {
	t.Parallel()
	m := readMap(t)
	var onTheMap []string
	for _, message := range m.Components.Messages {
		if strings.HasPrefix(message.Name, "mailyard.") {
			onTheMap = append(onTheMap, message.Name)
		}
	}
	var registered []string
	for _, event := range schemas.Events() {
		registered = append(registered, event.Type)
		key, ok := channelOf(m, event.Type)
		if !ok {
			t.Errorf("%s is in no channel", event.Type)
			continue
		}
		channel := m.Channels[key]
		if channel.Address != event.Subject {
			t.Errorf("%s: address is %s, Go publishes on %s", key, channel.Address, event.Subject)
		}
		if !slices.Equal(channel.JetStream.Streams, event.Streams) {
			t.Errorf("%s: streams are %v, Go has %v", key, channel.JetStream.Streams, event.Streams)
		}
		message := m.Components.Messages[key]
		if message.Payload.Schema.Ref != "./"+event.File() {
			t.Errorf("%s: schema is %s, Go has %s", key, message.Payload.Schema.Ref, event.File())
		}
		contentTypes := properties(document(t, event))["datacontenttype"]
		allowed, _ := contentTypes["enum"].([]any)
		if !slices.Contains(append(allowed, contentTypes["const"]), any(message.ContentType)) {
			t.Errorf("%s: content type %s is not in the schema", key, message.ContentType)
		}
		compare(t, key+": senders", parties(m, key, "send"), event.Senders)
		compare(t, key+": receivers", parties(m, key, "receive"), event.Receivers)
	}
	compare(t, "events", onTheMap, registered)
}

// channelOf returns the channel that an event is published on first.
func channelOf(m messageMap, eventType string) (string, bool) {
	for key, channel := range m.Channels {
		for _, message := range channel.Messages {
			if m.Components.Messages[message.name()].Name == eventType && !channel.Again {
				return key, true
			}
		}
	}
	return "", false
}

func parties(m messageMap, channel, action string) []string {
	var found []string
	for _, operation := range m.Operations {
		if operation.Channel.name() == channel && operation.Action == action {
			found = append(found, operation.Service)
		}
	}
	return found
}

func compare(t *testing.T, what string, onTheMap, inGo []string) {
	t.Helper()
	onTheMap, inGo = slices.Clone(onTheMap), slices.Clone(inGo)
	slices.Sort(onTheMap)
	slices.Sort(inGo)
	if !slices.Equal(onTheMap, inGo) {
		t.Errorf("%s are %v, Go has %v", what, onTheMap, inGo)
	}
}

func TestNothingIsSentInVainOrAwaitedInVain(t *testing.T) {
	t.Parallel()
	m := readMap(t)
	for _, event := range schemas.Events() {
		key, _ := channelOf(m, event.Type)
		ours := slices.DeleteFunc(parties(m, key, "receive"), func(s string) bool { return s == schemas.External })
		if terminal := m.Channels[key].Terminal; terminal != (len(ours) == 0) {
			t.Errorf("%s is received by %v of ours, x-terminal is %v", event.Type, ours, terminal)
		}
		if len(parties(m, key, "send")) == 0 {
			t.Errorf("nobody sends %s", event.Type)
		}
	}
}

// Requests and answers are kept in no stream, and whoever is asked answers.
func TestRequestsAreAnswered(t *testing.T) {
	t.Parallel()
	m := readMap(t)
	for name, operation := range m.Operations {
		asked := m.Channels[operation.Channel.name()].Asked
		if answered := operation.Reply.Channel.name(); asked != m.Channels[answered].Asked {
			t.Errorf("%s: request %v, answered on %s", name, asked, answered)
		}
	}
	if address := m.Channels["configApply"].Address; address != apply.SubjectPrefix+"{kind}" {
		t.Errorf("requests are sent on %s, in Go on %s", address, apply.Subjects)
	}
}

func TestOperationsAreNamedByWhatTheyDo(t *testing.T) {
	t.Parallel()
	for name, operation := range readMap(t).Operations {
		if want := operation.Service + "." + operation.Action + "s." + operation.Channel.name(); name != want {
			t.Errorf("%s should be %s", name, want)
		}
	}
}

func TestAddressesHaveTheirParametersAndLieInTheirStreams(t *testing.T) {
	t.Parallel()
	m := readMap(t)
	parameter := regexp.MustCompile(`\{(\w+)\}`)
	for key, channel := range m.Channels {
		var names []string
		for _, match := range parameter.FindAllStringSubmatch(channel.Address, -1) {
			names = append(names, match[1])
		}
		compare(t, key+": parameters", slices.Collect(maps.Keys(channel.Parameters)), names)
		subject := parameter.ReplaceAllString(channel.Address, "token")
		covered := channel.Asked && len(channel.JetStream.Streams) == 0 // kept nowhere
		for _, stream := range channel.JetStream.Streams {
			for _, pattern := range m.JetStream[stream].Subjects {
				covered = covered || overlaps(pattern, channel.Address)
			}
		}
		if !covered {
			t.Errorf("%s: %s is in none of %v", key, subject, channel.JetStream.Streams)
		}
	}
}

// overlaps reports whether a subject with {parameters} can match a pattern of NATS.
func overlaps(pattern, address string) bool {
	want, have := strings.Split(pattern, "."), strings.Split(address, ".")
	for i, token := range want {
		switch {
		case token == ">":
			return i <= len(have)
		case i >= len(have):
			return false
		case token != "*" && token != have[i] && !strings.HasPrefix(have[i], "{"):
			return false
		}
	}
	return len(want) == len(have)
}
