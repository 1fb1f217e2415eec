package rest_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/services/admin/operation"
	"github.com/mailyard/mailyard/services/admin/rest"
)

//go:generate go test -count=1 -run TestOpenAPIIsCommitted -update .

var update = flag.Bool("update", false, "write schemas/openapi.yaml")

const committed = "../../../schemas/openapi.yaml"

// fetch gets a public page of REST, which needs no desk.
func fetch(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	h, err := rest.New(rest.Config{Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
	return w
}

func openAPI(t *testing.T) map[string]any {
	t.Helper()
	var doc map[string]any
	if err := json.Unmarshal(fetch(t, rest.Prefix+"/openapi.json").Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestOpenAPIIsCommitted(t *testing.T) {
	t.Parallel()
	raw := append([]byte("# Made from the operations by `make generate`.\n"), fetch(t, rest.Prefix+"/openapi.yaml").Body.Bytes()...)
	if *update {
		if err := os.WriteFile(committed, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	old, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(old, raw) {
		t.Error("schemas/openapi.yaml is not what the operations say: run make generate and commit it")
	}
}

func TestOpenAPIIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/openapi.json", "/openapi.yaml"} {
		first := fetch(t, rest.Prefix+path).Body.Bytes()
		for range 3 {
			if !bytes.Equal(first, fetch(t, rest.Prefix+path).Body.Bytes()) {
				t.Errorf("%s differs", path)
			}
		}
	}
	var fromYAML any
	if err := yaml.Unmarshal(fetch(t, rest.Prefix+"/openapi.yaml").Body.Bytes(), &fromYAML); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := json.Marshal(openAPI(t))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, plain) {
		t.Error("YAML and JSON say different things")
	}
}

// testdata/openapi-3.1.json is the JSON Schema of OpenAPI 3.1 (Apache-2.0, spec.openapis.org/oas/3.1/schema/2026-08-03).
func TestOpenAPIIsValid(t *testing.T) {
	t.Parallel()
	c := compiler(t)
	schema, err := c.Compile("https://spec.openapis.org/oas/3.1/schema/2026-08-03")
	if err != nil {
		t.Fatal(err)
	}
	doc := openAPI(t)
	if err := schema.Validate(doc); err != nil {
		t.Errorf("%#v", err)
	}
	// Every schema in it compiles, with all that it refers to.
	if err := c.AddResource("mem:openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	components := doc["components"].(map[string]any)["schemas"].(map[string]any)
	for name := range components {
		if _, err := c.Compile("mem:openapi.json#/components/schemas/" + name); err != nil {
			t.Errorf("schema %s: %v", name, err)
		}
	}
	for _, name := range []string{"TenantDocument", "FolderDocument", "MailboxDocument", "Problem"} {
		if components[name] == nil {
			t.Errorf("there is no schema %s", name)
		}
	}
	ids := map[string]bool{}
	for path, item := range doc["paths"].(map[string]any) {
		for method, o := range item.(map[string]any) {
			id := o.(map[string]any)["operationId"].(string)
			ids[id] = true
			if example := bodyExample(o); example != nil {
				body, err := c.Compile("mem:openapi.json#/paths/" + strings.ReplaceAll(strings.ReplaceAll(path, "~", "~0"), "/", "~1") + "/" + method + "/requestBody/content/application~1json/schema")
				if err != nil {
					t.Errorf("%s: %v", id, err)
				} else if err := body.Validate(example); err != nil {
					t.Errorf("the example of %s: %v", id, err)
				}
			}
		}
	}
	for _, o := range operation.All() {
		if !ids[o.Name] {
			t.Errorf("%s is not described", o.Name)
		}
	}
}

func bodyExample(o any) any {
	body, ok := o.(map[string]any)["requestBody"].(map[string]any)
	if !ok {
		return nil
	}
	return body["content"].(map[string]any)["application/json"].(map[string]any)["example"]
}

func compiler(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	f, err := os.Open("testdata/openapi-3.1.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource("https://spec.openapis.org/oas/3.1/schema/2026-08-03", doc); err != nil {
		t.Fatal(err)
	}
	return c
}

// What operations answer is what the document says.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	d := open(t)
	c := compiler(t)
	doc := openAPI(t)
	if err := c.AddResource("mem:openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	for _, o := range operation.All() {
		if o.Bytes || o.Method == http.MethodDelete {
			continue
		}
		a := d.perform(d.Lena.Token, o, d.Acme, d.Ann)
		at := "/responses/200/content/application~1json/schema"
		if a.status >= 400 {
			at = "/responses/422/content/application~1problem+json/schema"
		}
		schema, err := c.Compile("mem:openapi.json#/paths/" + strings.ReplaceAll(o.Path, "/", "~1") + "/" + strings.ToLower(o.Method) + at)
		if err != nil {
			t.Errorf("%s: %v", o.Name, err)
			continue
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s answers %s: %v", o.Name, a.body, err)
		}
	}
}

func TestPageIsReadable(t *testing.T) {
	t.Parallel()
	w := fetch(t, "/api/docs")
	page := w.Body.String()
	for _, o := range operation.All() {
		for _, part := range []string{o.Summary, ">" + rest.Prefix + o.Path + "<", `id="` + o.Name + `"`} {
			if !strings.Contains(page, strings.ReplaceAll(part, "'", "&#39;")) {
				t.Errorf("the page lacks %q of %s", part, o.Name)
			}
		}
	}
	for _, part := range []string{"imap.port", "If-Match", "FolderDocument", "curl"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	if csp := w.Header().Get("Content-Security-Policy"); strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") {
		t.Errorf("Content-Security-Policy: %s", csp)
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "style=") || strings.Contains(page, "https://") {
		t.Error("the page wants more than its policy allows")
	}
	if css := fetch(t, "/api/docs.css"); css.Code != http.StatusOK || !strings.HasPrefix(css.Header().Get("Content-Type"), "text/css") {
		t.Errorf("the style: %d %s", css.Code, css.Header().Get("Content-Type"))
	}
	if to := fetch(t, "/api/v1/"); to.Code != http.StatusSeeOther || to.Header().Get("Location") != "/api/docs" {
		t.Errorf("/api/v1/: %d %s", to.Code, to.Header().Get("Location"))
	}
}
