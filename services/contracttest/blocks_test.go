package contracttest

import (
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/schemas"
)

// services lists every service that has a contract block.
func services() []string {
	return []string{
		string(schemas.StageFetcher), string(schemas.StageClassifier), string(schemas.StagePersister), string(schemas.StageDisposer),
		schemas.ServiceAdmin,
	}
}

// What a service says of itself in its doc.go is what asyncapi.yaml says of it.
func TestContractBlocksAreTheMaps(t *testing.T) {
	t.Parallel()
	operations := readOperations(t)
	for _, service := range services() {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			doc := packageComment(t, filepath.Join("..", service, "doc.go"))
			for entry, action := range map[string]string{"Consumes": "receive", "Emits": "send"} {
				inDoc, err := eventTypes(doc, entry)
				if err != nil {
					t.Errorf("%s/doc.go: %v", service, err)
					continue
				}
				onTheMap := operations[service+" "+action]
				slices.Sort(onTheMap)
				if !slices.Equal(inDoc, onTheMap) {
					t.Errorf("%s/doc.go says %s: %v; asyncapi.yaml has %v", service, entry, inDoc, onTheMap)
				}
			}
			for _, entry := range []string{"Stores", "Leases", "On failure"} {
				if _, ok := line(doc, entry); !ok {
					t.Errorf("%s/doc.go has no line %q", service, entry+": …")
				}
			}
		})
	}
}

func TestOperationsBelongToServices(t *testing.T) {
	t.Parallel()
	for key := range readOperations(t) {
		service, _, _ := strings.Cut(key, " ")
		if service != schemas.External && !slices.Contains(services(), service) {
			t.Errorf("asyncapi.yaml has operations of %q, which is no service", service)
		}
	}
}

func TestContractBlocksAreReadAsTheFormSays(t *testing.T) {
	t.Parallel()
	const doc = "Package a does b.\n\nConsumes: nothing; it reads IMAP\nEmits: mailyard.b.v1,  mailyard.a.v1\nStores: nothing\n"
	if got, err := eventTypes(doc, "Consumes"); err != nil || len(got) != 0 {
		t.Errorf("Consumes is read as %v, %v", got, err)
	}
	if got, err := eventTypes(doc, "Emits"); err != nil || !slices.Equal(got, []string{"mailyard.a.v1", "mailyard.b.v1"}) {
		t.Errorf("Emits is read as %v, %v", got, err)
	}
	for _, wrong := range []string{"", "Emits:\n", "Emits: this and that\n", "Emits: nothing at all\n", "Emits: mailyard.a.v1\nEmits: mailyard.b.v1\n"} {
		if got, err := eventTypes(wrong, "Emits"); err == nil {
			t.Errorf("%q is read as %v", wrong, got)
		}
	}
}

func packageComment(t *testing.T, file string) string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Doc.Text()
}

// eventTypes returns the sorted event types of an entry of a contract block.
func eventTypes(doc, entry string) ([]string, error) {
	text, ok := line(doc, entry)
	if !ok {
		return nil, fmt.Errorf("it has not exactly one line %q", entry+": …")
	}
	if what, _, _ := strings.Cut(text, ";"); what == "nothing" {
		return nil, nil
	}
	var types []string
	for eventType := range strings.SplitSeq(text, ",") {
		eventType = strings.TrimSpace(eventType)
		if strings.ContainsAny(eventType, " \t") || !strings.HasPrefix(eventType, "mailyard.") {
			return nil, fmt.Errorf("%s: %q is no event type", entry, eventType)
		}
		types = append(types, eventType)
	}
	slices.Sort(types)
	return types, nil
}

// line returns the text after "entry: " if exactly one line begins with it.
func line(doc, entry string) (text string, ok bool) {
	for l := range strings.Lines(doc) {
		if rest, found := strings.CutPrefix(l, entry+": "); found {
			if ok {
				return "", false
			}
			text, ok = strings.TrimSpace(rest), true
		}
	}
	return text, ok
}

// readOperations returns the event types by "service action". Messages that
// are no events of ours, and redelivery, do not count.
func readOperations(t *testing.T) map[string][]string {
	t.Helper()
	type reference struct {
		Ref string `yaml:"$ref"`
	}
	var doc struct {
		Channels map[string]struct {
			Messages map[string]reference
			Again    bool `yaml:"x-redelivery"`
		}
		Operations map[string]struct {
			Action  string
			Channel reference
			Service string `yaml:"x-service"`
		}
		Components struct {
			Messages map[string]struct{ Name string }
		}
	}
	if err := yaml.Unmarshal([]byte(schemas.AsyncAPI), &doc); err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, operation := range doc.Operations {
		key := operation.Service + " " + operation.Action
		found[key] = append(found[key], []string{}...) // there, even without an event
		channel := doc.Channels[strings.TrimPrefix(operation.Channel.Ref, "#/channels/")]
		for _, message := range channel.Messages {
			name := doc.Components.Messages[strings.TrimPrefix(message.Ref, "#/components/messages/")].Name
			if strings.HasPrefix(name, "mailyard.") && !channel.Again {
				found[key] = append(found[key], name)
			}
		}
	}
	return found
}
