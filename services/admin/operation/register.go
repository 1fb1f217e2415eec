package operation

import (
	"context"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// A registrar makes an operation one of huma's. Only where an operation is
// defined are its types known to the compiler, which huma wants.
type registrar struct {
	answers func(huma.API, huma.Operation, Serve)
	writes  func(huma.API, huma.Operation, Write)
}

// Serve performs an operation for REST: in is what New returns, filled in, and
// the result is of the type Output.
type Serve func(ctx context.Context, in any) (any, error)

// Write performs an operation for REST, and writes the answer itself.
type Write func(ctx huma.Context, in any)

// Register makes the operation one of huma's, described by h.
func (o Operation) Register(api huma.API, h huma.Operation, s Serve) { o.huma.answers(api, h, s) }

// RegisterWrite is Register for an operation whose answer is not always the JSON
// of its output. The caller describes the answers.
func (o Operation) RegisterWrite(api huma.API, h huma.Operation, w Write) {
	o.huma.writes(api, h, w)
}

// answer is what huma sends.
type answer[O any] struct{ Body O }

// revised is an answer with a revision.
type revised[O any] struct {
	ETag string `header:"ETag" doc:"Revision, for If-Match."`
	Body O
}

func registering[I, O any]() registrar {
	return registrar{
		answers: func(api huma.API, h huma.Operation, serve Serve) {
			if !reflect.TypeFor[O]().Implements(reflect.TypeFor[Revised]()) {
				huma.Register(api, h, func(ctx context.Context, in *I) (*answer[O], error) {
					out, err := serve(ctx, in)
					if err != nil {
						return nil, err
					}
					return &answer[O]{out.(O)}, nil
				})
				return
			}
			huma.Register(api, h, func(ctx context.Context, in *I) (*revised[O], error) {
				out, err := serve(ctx, in)
				if err != nil {
					return nil, err
				}
				return &revised[O]{strconv.Quote(out.(Revised).ETagRevision()), out.(O)}, nil
			})
		},
		writes: func(api huma.API, h huma.Operation, write Write) {
			huma.Register(api, h, func(_ context.Context, in *I) (*huma.StreamResponse, error) {
				return &huma.StreamResponse{Body: func(ctx huma.Context) { write(ctx, in) }}, nil
			})
		},
	}
}
