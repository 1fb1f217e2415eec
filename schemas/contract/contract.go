package contract

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
)

// ErrUnknownType is wrapped by the error for a message whose type is in no
// schema, or that has none.
var ErrUnknownType = errors.New("no schema describes this event type")

var compiled = sync.OnceValues(compile)

// Validate reports what is wrong with a message, given as NATS headers and
// payload, by the strict schema of its ce-type. It may be called concurrently.
func Validate(header map[string][]string, payload []byte) error {
	doc, err := cloudevents.Structured(header, payload)
	if err != nil {
		return err
	}
	return ValidateStructured(doc)
}

// ValidateStructured is Validate for an event in the CloudEvents JSON format.
func ValidateStructured(doc []byte) error {
	byType, err := compiled()
	if err != nil {
		return err
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return fmt.Errorf("decoding event: %w", err)
	}
	event, _ := instance.(map[string]any)
	eventType, _ := event["type"].(string)
	schema, ok := byType[eventType]
	if !ok {
		return fmt.Errorf("validating event of type %q: %w", eventType, ErrUnknownType)
	}
	if err := schema.Validate(instance); err != nil {
		return fmt.Errorf("validating event of type %s: %w", eventType, err)
	}
	return nil
}

func compile() (map[string]*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // loads nothing: every schema is at hand
	byType := map[string]*jsonschema.Schema{}
	for _, event := range schemas.Events() {
		doc, err := Document(event)
		if err != nil {
			return nil, err
		}
		Strict(doc)
		if err := c.AddResource(event.DataSchema, doc); err != nil {
			return nil, fmt.Errorf("adding schema of %s: %w", event.Type, err)
		}
		if byType[event.Type], err = c.Compile(event.DataSchema); err != nil {
			return nil, fmt.Errorf("compiling schema of %s: %w", event.Type, err)
		}
	}
	return byType, nil
}

// Document returns the JSON Schema of an event type as published, decoded anew.
func Document(event schemas.EventInfo) (any, error) {
	raw, err := schemas.EventFiles.ReadFile(event.File())
	if err != nil {
		return nil, fmt.Errorf("reading schema of %s: %w", event.Type, err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("decoding schema of %s: %w", event.Type, err)
	}
	return doc, nil
}
