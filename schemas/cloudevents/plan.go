package cloudevents

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"
)

// TimeFormat is how times are written: RFC 3339 with nanoseconds, UTC.
const TimeFormat = time.RFC3339Nano

// A field is a struct field that holds an attribute.
type field struct {
	name      string
	header    string
	index     []int
	timestamp bool
	omitEmpty bool
}

// A plan says what the fields of an event type are.
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
			p.attributes = append(p.attributes, field{
				name:      name,
				header:    Prefix + name,
				index:     f.Index,
				timestamp: f.Type == reflect.TypeFor[time.Time](),
				omitEmpty: strings.Contains(options, "omitempty"),
			})
		}
	}
	actual, _ := plans.LoadOrStore(t, p)
	return actual.(*plan)
}

// get returns the attribute's value. The event must be addressable.
func (f *field) get(event reflect.Value) (string, error) {
	v := event.FieldByIndex(f.index)
	if f.timestamp {
		t := v.Addr().Interface().(*time.Time).UTC()
		if t.Year() < 0 || t.Year() > 9999 {
			return "", fmt.Errorf("RFC 3339 has no room for the year %d", t.Year())
		}
		return t.Format(TimeFormat), nil
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

// set is the inverse of get.
func (f *field) set(event reflect.Value, s string) error {
	v := event.FieldByIndex(f.index)
	if f.timestamp {
		t, err := time.Parse(TimeFormat, s)
		if err != nil {
			return err
		}
		*v.Addr().Interface().(*time.Time) = t.UTC()
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
		return fmt.Errorf("a %s cannot be an attribute", v.Type())
	}
	return nil
}
