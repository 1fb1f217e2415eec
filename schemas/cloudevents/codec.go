package cloudevents

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Prefix begins the name of every header that holds an attribute.
const Prefix = "ce-"

// The names of the fields that hold the payload.
const (
	dataField   = "data"
	binaryField = "data_base64"
)

// Encode returns the headers and the payload of an event, given as a struct or
// a pointer to one. The payload may alias the event's bytes.
func Encode(event any) (header map[string][]string, payload []byte, err error) {
	v := reflect.Indirect(reflect.ValueOf(event))
	if v.Kind() != reflect.Struct {
		return nil, nil, fmt.Errorf("encoding event: %T is not a struct", event)
	}
	if !v.CanAddr() {
		addressable := reflect.New(v.Type()).Elem()
		addressable.Set(v)
		v = addressable
	}
	p := planOf(v.Type())
	// Room for what the sender adds: Nats-Msg-Id and the like.
	header = make(map[string][]string, len(p.attributes)+2)
	values := make([]string, len(p.attributes))
	for i := range p.attributes {
		f := &p.attributes[i]
		s, err := f.get(v)
		if err != nil {
			return nil, nil, fmt.Errorf("encoding attribute %s of %T: %w", f.name, event, err)
		}
		if s == "" && f.omitEmpty {
			continue
		}
		values[i] = escape(s)
		header[f.header] = values[i : i+1 : i+1]
	}
	if p.data == nil {
		return header, nil, nil
	}
	payload, err = encodePayload(v.FieldByIndex(p.data), p.binary)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding payload of %T: %w", event, err)
	}
	return header, payload, nil
}

func encodePayload(v reflect.Value, binary bool) ([]byte, error) {
	if binary {
		return v.Bytes(), nil
	}
	if m, ok := v.Addr().Interface().(encoding.BinaryMarshaler); ok {
		return m.MarshalBinary()
	}
	return json.Marshal(v.Addr().Interface())
}

// Decode fills the event, a pointer to a struct, from headers and payload.
// What the event held before is gone. Unknown headers are ignored, header names
// are compared without case (as the binding wants), and the event's bytes may
// alias the payload.
func Decode(header map[string][]string, payload []byte, event any) error {
	ptr := reflect.ValueOf(event)
	if ptr.Kind() != reflect.Pointer || ptr.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("decoding event: %T is not a pointer to a struct", event)
	}
	v := ptr.Elem()
	v.SetZero()
	p := planOf(v.Type())
	for i := range p.attributes {
		f := &p.attributes[i]
		s, ok := get(header, f.header)
		if !ok {
			if f.omitEmpty {
				continue
			}
			return fmt.Errorf("decoding %T: attribute %s is missing", event, f.name)
		}
		s, err := unescape(s)
		if err == nil {
			err = f.set(v, s)
		}
		if err != nil {
			return fmt.Errorf("decoding attribute %s of %T: %w", f.name, event, err)
		}
	}
	if p.data == nil {
		return nil
	}
	if err := decodePayload(v.FieldByIndex(p.data), p.binary, payload); err != nil {
		return fmt.Errorf("decoding payload of %T: %w", event, err)
	}
	return nil
}

func decodePayload(v reflect.Value, binary bool, payload []byte) error {
	if binary {
		v.SetBytes(payload)
		return nil
	}
	if u, ok := v.Addr().Interface().(encoding.BinaryUnmarshaler); ok {
		return u.UnmarshalBinary(payload)
	}
	return json.Unmarshal(payload, v.Addr().Interface())
}

// Attribute returns one attribute of a message, "" when it has none, without
// decoding the rest. A value that is wrongly encoded is returned as it stands.
func Attribute(header map[string][]string, name string) string {
	s, _ := get(header, Prefix+name)
	if u, err := unescape(s); err == nil {
		return u
	}
	return s
}

// get returns the first value of a header. Our own messages have its name as
// it is; only what others sent, or what is missing, costs a look at all names.
func get(header map[string][]string, name string) (string, bool) {
	if vs := header[name]; len(vs) > 0 {
		return vs[0], true
	}
	for k, vs := range header {
		if len(k) == len(name) && len(vs) > 0 && strings.EqualFold(k, name) {
			return vs[0], true
		}
	}
	return "", false
}
