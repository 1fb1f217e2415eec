package cloudevents

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Prefix begins the name of every header that holds an attribute.
const Prefix = "ce-"

// The names of the fields that hold the payload.
const (
	dataField   = "data"
	binaryField = "data_base64"
)

// TimeFormat is how times are written: RFC 3339 with nanoseconds, UTC.
const TimeFormat = time.RFC3339Nano

type field struct {
	name      string
	header    string
	index     []int
	omitEmpty bool
}

type plan struct {
	attributes []field
	data       []int // nil when the event has no payload
	binary     bool  // the payload is the field's bytes
}

var plans sync.Map // reflect.Type -> *plan; a cache of what never changes

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "" || name == "-":
		case name == dataField, name == binaryField:
			p.data, p.binary = f.Index, name == binaryField
		default:
			p.attributes = append(p.attributes, field{name, Prefix + name, f.Index, strings.Contains(options, "omitempty")})
		}
	}
	actual, _ := plans.LoadOrStore(t, p)
	return actual.(*plan)
}

// Encode returns the headers and the payload of an event, given as a struct or
// a pointer to one. The payload may alias the event's bytes.
func Encode(event any) (header map[string][]string, payload []byte, err error) {
	v := reflect.Indirect(reflect.ValueOf(event))
	if v.Kind() != reflect.Struct {
		return nil, nil, fmt.Errorf("encoding event: %T is not a struct", event)
	}
	p := planOf(v.Type())
	header = make(map[string][]string, len(p.attributes)+2)
	for _, f := range p.attributes {
		s, err := attribute(v.FieldByIndex(f.index))
		if err != nil {
			return nil, nil, fmt.Errorf("encoding attribute %s of %T: %w", f.name, event, err)
		}
		if s == "" && f.omitEmpty {
			continue
		}
		header[f.header] = []string{escape(s)}
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
	if m, ok := v.Interface().(encoding.BinaryMarshaler); ok {
		return m.MarshalBinary()
	}
	return json.Marshal(v.Interface())
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
	for _, f := range p.attributes {
		s, ok := get(header, f.header)
		if !ok {
			if f.omitEmpty {
				continue
			}
			return fmt.Errorf("decoding %T: attribute %s is missing", event, f.name)
		}
		s, err := unescape(s)
		if err == nil {
			err = setAttribute(v.FieldByIndex(f.index), s)
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

func attribute(v reflect.Value) (string, error) {
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC().Format(TimeFormat), nil
	}
	switch v.Kind() {
	case reflect.String:
		return v.String(), nil
	case reflect.Int, reflect.Int64, reflect.Int32:
		return strconv.FormatInt(v.Int(), 10), nil
	case reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10), nil
	}
	return "", fmt.Errorf("a %s cannot be an attribute", v.Type())
}

func setAttribute(v reflect.Value, s string) error {
	if _, ok := v.Interface().(time.Time); ok {
		t, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			return err
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Int, reflect.Int64, reflect.Int32:
		n, err := strconv.ParseInt(s, 10, v.Type().Bits())
		if err != nil {
			return err
		}
		v.SetInt(n)
	case reflect.Uint32, reflect.Uint64:
		n, err := strconv.ParseUint(s, 10, v.Type().Bits())
		if err != nil {
			return err
		}
		v.SetUint(n)
	default:
		return errors.New("no attribute can be a " + v.Type().String())
	}
	return nil
}
