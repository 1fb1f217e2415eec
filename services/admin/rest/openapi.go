package rest

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/doctor"
	schema "github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// schemaPrefix is where references to schemas point.
const schemaPrefix = "#/components/schemas/"

// A problemBody is how a problem is described.
type problemBody struct {
	Title     string           `json:"title" doc:"What kind of problem it is: the text of the status."`
	Status    int              `json:"status" doc:"The HTTP status."`
	Detail    string           `json:"detail,omitempty" doc:"What happened, and how to mend it."`
	Errors    []config.Problem `json:"errors,omitempty" doc:"One for each thing that is wrong with what was sent."`
	Reference string           `json:"reference,omitempty" doc:"By which the log of the service tells the cause; only where that is a fault of mailyard."`
}

func about(version string) *huma.Info {
	return &huma.Info{
		Title:   "mailyard administration",
		Version: version,
		License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		Description: strings.TrimSpace(`
Everything that the console of mailyard does, for programs.

Send an API token as ` + "`Authorization: Bearer TOKEN`" + `. An account makes API tokens in the console; each has a role, perhaps a tenant, and an end. To the people of one tenant another tenant does not exist.

What a document is based on is said with ` + "`If-Match`" + ` and the ETag that reading it gave; ` + "`If-None-Match: *`" + ` says that it must be new. A change that is based on an older revision is refused with 412 and changes nothing.

What cannot be done is answered with a problem of RFC 9457: ` + "`errors`" + ` names everything that is wrong, each with its path. Keys and parameters that are not known are refused.

Lists come in pages: ` + "`next`" + ` of one page is the ` + "`cursor`" + ` or ` + "`before`" + ` of the next.`),
	}
}

// nouns are what operations are about, in the order of the page.
var nouns = []struct{ name, title, description string }{
	{"tenant", "Tenants", "The customers of the landlord, their parameters and encryption keys."},
	{"folder", "Folders", "Queues of a tenant, found by recipient address."},
	{"mailbox", "Mailboxes", "The external mailboxes that mail is taken from, and their states."},
	{"doctor", "Doctor", "What the mail servers say to settings that need not be saved."},
	{"routing", "Routing", "Where mail would go, and what matches nothing."},
	{"mail", "Mail", "The ledger of all mail that was stored."},
	{"dead", "Dead letters", "What a stage gave up. Its mail is still in the inbox."},
	{"audit", "Audit", "Who did what, when and from where."},
	{"account", "Accounts", "Who may sign in."},
	{"session", "Sessions", "Who is signed in."},
	{"token", "API tokens", "What programs prove themselves with."},
	{"system", "System", "Which services run, and what waits between them."},
}

func tags() []*huma.Tag {
	list := make([]*huma.Tag, len(nouns))
	for i, n := range nouns {
		list[i] = &huma.Tag{Name: n.name, Description: n.description}
	}
	return list
}

func components() *huma.Components {
	registry := huma.NewMapRegistry(schemaPrefix, schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[problemBody]())
	registry.RegisterTypeAlias(reflect.TypeFor[operation.Problem](), reflect.TypeFor[problemBody]())
	return &huma.Components{
		Schemas: registry,
		SecuritySchemes: map[string]*huma.SecurityScheme{
			"token":   {Type: "http", Scheme: "bearer", Description: "An API token, " + "`myd_…`" + "."},
			"session": {Type: "apiKey", In: "cookie", Name: plainCookie, Description: "The session of the console; with https its name is " + secureCookie + "."},
		},
	}
}

// schemaName names the schema of a type. Types of package operation have their
// own names, those of others that of their package in front.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return hint
	}
	switch t {
	case reflect.TypeFor[problemBody]():
		return "Problem"
	case reflect.TypeFor[schema.Tenant](), reflect.TypeFor[schema.Folder](), reflect.TypeFor[schema.Mailbox]():
		return t.Name() + "Document"
	}
	pkg := path.Base(t.PkgPath())
	if pkg == "operation" || pkg == "rest" || pkg == "." {
		return t.Name()
	}
	return strings.ToUpper(pkg[:1]) + pkg[1:] + t.Name()
}

// describe says of an operation what its types do not say.
func describe(api huma.API, o operation.Operation) huma.Operation {
	noun, _, _ := strings.Cut(o.Name, ".")
	h := huma.Operation{
		OperationID: o.Name, Method: o.Method, Path: o.Path, Summary: o.Summary, DefaultStatus: o.Status,
		Tags: []string{noun}, Errors: statuses(o), Description: strings.TrimSpace(o.Help + "\n\n" + audience(o.Access)),
	}
	registry := api.OpenAPI().Components.Schemas
	switch {
	case o.Bytes:
		h.Responses = map[string]*huma.Response{"200": {
			Description: "The bytes, as a download.",
			Headers:     map[string]*huma.Param{"Content-Disposition": {Description: "attachment, with the name of the file (RFC 6266).", Schema: &huma.Schema{Type: "string"}}},
			Content:     map[string]*huma.MediaType{"application/octet-stream": {}, "message/rfc822": {}},
		}}
	case o.Streams:
		h.Responses = map[string]*huma.Response{"200": {
			Description: "The report when all is done or, line by line, every step as it begins and as it ends, and at last the report.",
			Content: map[string]*huma.MediaType{
				jsonType: {Schema: registry.Schema(o.Output, true, "")},
				linesType: {Schema: &huma.Schema{
					Type: "object", Description: "One line: a step, the report, or the problem that prevented it.",
					Properties: map[string]*huma.Schema{
						"step":    registry.Schema(reflect.TypeFor[doctor.Step](), true, ""),
						"report":  registry.Schema(o.Output, true, ""),
						"problem": registry.Schema(reflect.TypeFor[problemBody](), true, ""),
					},
				}},
			},
		}}
	}
	if example, ok := examples()[o.Name]; ok {
		h.RequestBody = &huma.RequestBody{Content: map[string]*huma.MediaType{jsonType: {Example: example}}}
	}
	return h
}

// audience says who may ask for an operation.
func audience(a operation.Access) string {
	switch a {
	case operation.AccessRead:
		return "For everybody who may read the tenant."
	case operation.AccessWrite:
		return "For the landlord and the administrators of the tenant."
	case operation.AccessLandlord:
		return "For the landlord."
	}
	return "For everybody who is signed in."
}

// statuses lists the problems that an operation may answer with, besides 422 and 500.
func statuses(o operation.Operation) []int {
	list := []int{400, 401, 403, 406, 429, 503}
	if strings.Contains(o.Path, "{") {
		list = append(list, 404)
	}
	if _, ok := o.Input.FieldByName("IfMatch"); ok {
		list = append(list, 409, 412, 428)
	}
	if hasBody(o) {
		list = append(list, 408, 413, 415)
	}
	if o.Examines {
		list = append(list, 504)
	}
	slices.Sort(list)
	return list
}

// finish completes the document: what documents look like is said by the schemas
// that are committed, not by their Go types.
func finish(api *huma.OpenAPI) error {
	for name, file := range map[string]string{"TenantDocument": "tenant.json", "FolderDocument": "folder.json", "MailboxDocument": "mailbox.json"} {
		raw, err := schema.Files.ReadFile(file)
		if err != nil {
			return err
		}
		var keywords map[string]any
		if err := json.Unmarshal(raw, &keywords); err != nil {
			return fmt.Errorf("reading schema %s: %w", file, err)
		}
		// Its place in this document is its name now, and the path of a request
		// says what a document need not repeat.
		delete(keywords, "$id")
		delete(keywords, "$schema")
		if required, ok := keywords["required"].([]any); ok {
			keywords["required"] = slices.DeleteFunc(required, func(key any) bool { return key == "tenant" || key == "id" })
		}
		api.Components.Schemas.Map()[name] = &huma.Schema{Extensions: keywords}
	}
	correct(api.Components.Schemas)
	return nil
}
