package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"github.com/mailyard/mailyard/pkg/secret"
)

// doors are what an installation gives an administrator, and where its secrets
// are, to be looked for.
type doors struct {
	url   string // of console and REST
	token string // the operator's

	// Of an installation of one process per service only.
	database string // URL of the control database
	master   *secret.MasterKey
}

// ask sends a request to REST and reads the answer.
func (d doors) ask(t testing.TB, method, path string, body io.Reader, into any) {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), method, d.url+"/api/v1"+path, body))(t)
	r.Header.Set("Authorization", "Bearer "+d.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	answer := must(client.Do(r))(t)
	defer answer.Body.Close()
	raw := must(io.ReadAll(answer.Body))(t)
	if answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s\n%s", method, path, answer.Status, raw)
	}
	check(t, json.Unmarshal(raw, into))
}
