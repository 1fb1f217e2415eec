package control_test

import (
	"sync"
	"testing"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/control"
)

// All replicas of the administration give a number the same token, also those
// that open a new database at the same moment, and so does one that is restarted.
func TestAllWhoOpenADatabaseSealAlike(t *testing.T) {
	t.Parallel()
	for name, backend := range backends() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sealed := func(url string) string {
				s, err := control.Open(t.Context(), url, zap.NewNop())
				if err != nil {
					t.Error(err)
					return ""
				}
				defer s.Close()
				return s.Sealer("revision", "acme").Seal(1)
			}
			url := backend(t)
			var wg sync.WaitGroup
			var tokens [4]string
			for i := range tokens {
				wg.Go(func() { tokens[i] = sealed(url) })
			}
			wg.Wait()
			for _, token := range tokens {
				if token == "" || token != sealed(url) {
					t.Errorf("%q, and then %q", tokens, sealed(url))
				}
			}
			if other := sealed(backend(t)); other == tokens[0] {
				t.Errorf("another installation has the same token, %q", other)
			}
		})
	}
}
