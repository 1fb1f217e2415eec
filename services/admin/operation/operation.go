package operation

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/doctor"
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
	Streams bool // it can be followed step by step: see Follow
	// Examines says that it may speak with mail servers or name servers, and so
	// take long. The desk bounds how many of them are under way.
	Examines bool

	Input  reflect.Type // a struct with json tags and with huma's for path, query and header
	Output reflect.Type // what becomes the JSON of the answer

	run    func(ctx context.Context, d *Desk, a control.Actor, in any) (any, error)
	follow func(ctx context.Context, d *Desk, a control.Actor, in any, report func(doctor.Step)) (any, error)
	shape  shape
	huma   registrar
}

// New returns an empty input, a pointer to a struct.
func (o Operation) New() any { return reflect.New(o.Input).Interface() }

// Run performs the operation. in is what New returned, filled in.
func (o Operation) Run(ctx context.Context, d *Desk, a control.Actor, in any) (any, error) {
	if problems := texts(in, restNames()); len(problems) > 0 {
		return nil, Invalid(problems...)
	}
	return o.run(ctx, d, a, in)
}

// Follow performs an operation of steps, and tells of each as it begins and as
// it ends.
func (o Operation) Follow(ctx context.Context, d *Desk, a control.Actor, in any, report func(doctor.Step)) (any, error) {
	if problems := texts(in, restNames()); len(problems) > 0 {
		return nil, Invalid(problems...)
	}
	return o.follow(ctx, d, a, in, report)
}

// Call performs the operation with its input as JSON. A key that the input does
// not have is a problem.
func (o Operation) Call(ctx context.Context, d *Desk, a control.Actor, input json.RawMessage) (any, error) {
	in := o.New()
	if len(bytes.TrimSpace(input)) == 0 {
		input = json.RawMessage("{}")
	}
	var plain any
	if err := json.Unmarshal(input, &plain); err != nil {
		return nil, undecodable(err)
	}
	if problems := o.shape.check(plain); len(problems) > 0 {
		return nil, Invalid(problems...)
	}
	dec := json.NewDecoder(bytes.NewReader(input))
	dec.DisallowUnknownFields()
	if err := dec.Decode(in); err != nil {
		return nil, undecodable(err)
	}
	if problems := texts(in, jsonNames()); len(problems) > 0 {
		return nil, Invalid(problems...)
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
		shape: shapeOf(reflect.TypeFor[I]()), huma: registering[I, O](),
	}
}

// followed adds the method that tells of every step.
func followed[I, O any](o Operation, m func(d *Desk, ctx context.Context, a control.Actor, in *I, report func(doctor.Step)) (O, error)) Operation {
	o.Streams, o.Examines = true, true
	o.follow = func(ctx context.Context, d *Desk, a control.Actor, in any, report func(doctor.Step)) (any, error) {
		return m(d, ctx, a, in.(*I), report)
	}
	return o
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
