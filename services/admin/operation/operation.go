package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
)

// Access says who may ask for an operation.
type Access string

// The kinds of access.
const (
	AccessSignedIn Access = "signed-in" // everybody who is signed in
	AccessRead     Access = "read"      // who may read the tenant
	AccessWrite    Access = "write"     // who may change the tenant
	AccessLandlord Access = "landlord"  // the landlord
)

// An Operation is one thing that can be asked, whatever the door.
type Operation struct {
	Name    string // noun.verb, such as "mailbox.put"
	Method  string // of REST
	Path    string // of REST, below the prefix of the API, with {tenant} and the like
	Summary string // one line, for people
	Help    string // more, may be empty
	Access  Access
	Status  int  // of a success; 200 unless given
	Bytes   bool // the answer is a File, not JSON
	Streams bool // REST can follow it step by step: see Steps

	Input  reflect.Type // a struct with json tags and with huma's for path, query and header
	Output reflect.Type // what becomes the JSON of the answer

	run func(ctx context.Context, d *Desk, a control.Actor, in any) (any, error)
}

// New returns an empty input, a pointer to a struct.
func (o Operation) New() any { return reflect.New(o.Input).Interface() }

// Run performs the operation. in is what New returned, filled in.
func (o Operation) Run(ctx context.Context, d *Desk, a control.Actor, in any) (any, error) {
	return o.run(ctx, d, a, in)
}

// Call performs the operation with its input as JSON. A key that the input does
// not have is a problem.
func (o Operation) Call(ctx context.Context, d *Desk, a control.Actor, input json.RawMessage) (any, error) {
	in := o.New()
	if len(bytes.TrimSpace(input)) > 0 {
		dec := json.NewDecoder(bytes.NewReader(input))
		dec.DisallowUnknownFields()
		if err := dec.Decode(in); err != nil {
			return nil, undecodable(err)
		}
		if _, err := dec.Token(); !errors.Is(err, io.EOF) {
			return nil, Invalid(config.Problem{Message: "there is more behind the JSON value"})
		}
	}
	return o.run(ctx, d, a, in)
}

// A method of a Desk.
type method[I, O any] func(d *Desk, ctx context.Context, a control.Actor, in *I) (O, error)

// define makes an operation of a method.
func define[I, O any](name string, access Access, route, path, summary string, m method[I, O]) Operation {
	return Operation{
		Name: name, Access: access, Method: route, Path: path, Summary: summary, Status: http.StatusOK,
		Input: reflect.TypeFor[I](), Output: reflect.TypeFor[O](),
		run: func(ctx context.Context, d *Desk, a control.Actor, in any) (any, error) {
			return m(d, ctx, a, in.(*I))
		},
	}
}

// Find returns the operation of that name.
func Find(name string) (Operation, bool) {
	for _, o := range All() {
		if o.Name == name {
			return o, true
		}
	}
	return Operation{}, false
}
