package config

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strconv"

	"github.com/mailyard/mailyard/schemas"
)

// A Document is one document of a stream for `mailyard apply`: a tenant, a
// folder or a mailbox, checked by itself.
type Document struct {
	Kind   schemas.Kind
	Tenant string // of a tenant: its own id
	ID     string
	// JSON is the document without kind, password and encryption_key. It is
	// whole: a key that is absent has its default.
	JSON []byte
	File string // "" if not known
	Line int    // where the document begins
	// Password is the mailbox's password; nil keeps the stored one. Apply wants
	// it resolved: see ResolvePasswords.
	Password *PasswordRef
	// HasPassword is set in what is exported: a password is stored, which is not
	// exported. WriteDocuments leaves a comment that shows how to set another.
	HasPassword bool
	// GenerateKey asks for a Tenant Encryption Key if the tenant has none.
	GenerateKey bool

	root *node // nil if the document was not read from a stream
}

// TenantDocument returns the tenant that the document describes, with defaults
// for what it leaves out.
func (d Document) TenantDocument() (Tenant, Problems) {
	t, p := DecodeTenant(d.JSON, DefaultTenant())
	return t, d.Locate(p)
}

// FolderDocument returns the folder that the document describes.
func (d Document) FolderDocument() (Folder, Problems) {
	f, p := DecodeFolder(d.JSON, Folder{})
	return f, d.Locate(p)
}

// MailboxDocument returns the mailbox that the document describes.
func (d Document) MailboxDocument() (Mailbox, Problems) {
	m, p := DecodeMailbox(d.JSON, DefaultMailbox())
	return m, d.Locate(p)
}

// Locate adds the document's file, and the lines of the keys, to problems with it.
func (d Document) Locate(problems Problems) Problems {
	var located Problems
	for _, p := range problems {
		if p.Line == 0 {
			p.Line = d.Line
			if d.root != nil {
				p.Line = d.root.lineOf(p.Path)
			}
		}
		p.File = d.File
		located = append(located, p)
	}
	return located
}

// ParseDocuments reads a stream of YAML (or JSON) documents separated by "---".
// Each has kind (tenant, folder or mailbox), id, but for a tenant also tenant,
// and the fields of its kind. A mailbox may have password: {env: NAME}, {file:
// PATH} or the text; a tenant may have encryption_key: generate. All problems
// are returned at once, as Problems, with the file's name if r has one
// (*os.File); documents are returned only if there is no problem.
func ParseDocuments(r io.Reader) ([]Document, error) {
	file := ""
	if f, ok := r.(interface{ Name() string }); ok {
		file = f.Name()
	}
	roots, problems := parseYAML(r)
	for i := range problems {
		problems[i].File = file
	}
	var docs []Document
	first := map[string]int{}
	for _, root := range roots {
		d, found := newDocument(root, file)
		problems = append(problems, found...)
		name := string(d.Kind) + " " + d.Tenant + "/" + d.ID
		if line, ok := first[name]; ok && d.ID != "" {
			problems = append(problems, d.Locate(Problems{{Path: "id", Message: "is the same as in line " + strconv.Itoa(line)}})...)
		}
		first[name] = d.Line
		docs = append(docs, d)
	}
	if len(problems) > 0 {
		slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Path, b.Path)) })
		// The first of several about the same thing is the cause of the others.
		return nil, slices.CompactFunc(problems, func(a, b Problem) bool { return a.Line == b.Line && a.Path == b.Path })
	}
	return docs, nil
}

func newDocument(root *node, file string) (Document, Problems) {
	d := Document{File: file, Line: root.line, root: root}
	// The tree stays whole, because Locate looks up lines in it.
	body := &node{kind: kindObject, line: root.line, members: append([]member(nil), root.members...)}
	var problems Problems
	kind := body.take("kind")
	d.Kind = schemas.Kind(textOf(kind))
	d.ID, d.Tenant = textOf(body.get("id")), textOf(body.get("tenant"))
	if d.Kind == schemas.KindTenant {
		d.Tenant = d.ID
		d.GenerateKey = takeGenerate(body, &problems)
	}
	if d.Kind == schemas.KindMailbox {
		var found Problems
		d.Password, found = takePassword(body)
		problems = append(problems, found...)
	}
	var b bytes.Buffer
	body.json(&b)
	d.JSON = b.Bytes()
	problems = d.Locate(problems)
	var found Problems
	switch d.Kind {
	case schemas.KindTenant:
		_, found = d.TenantDocument()
	case schemas.KindFolder:
		_, found = d.FolderDocument()
	case schemas.KindMailbox:
		_, found = d.MailboxDocument()
	default:
		message := "is not one of tenant, folder, mailbox"
		if kind == nil {
			message = "is required: tenant, folder or mailbox"
		}
		found = d.Locate(Problems{{Path: "kind", Message: message}})
	}
	return d, append(problems, found...)
}

func takeGenerate(body *node, problems *Problems) bool {
	n := body.take("encryption_key")
	if n == nil {
		return false
	}
	if n.kind != kindText || n.text != "generate" {
		problems.add("encryption_key", "is not generate; a key itself never stands in a document")
	}
	return true
}

func textOf(n *node) string {
	if n == nil || n.kind != kindText {
		return ""
	}
	return n.text
}

// ResolvePasswords replaces references to environment variables and files by
// the passwords themselves. All that cannot be resolved is returned at once.
func ResolvePasswords(docs []Document, env func(string) (string, bool), file func(string) ([]byte, error)) error {
	var problems Problems
	for i := range docs {
		if docs[i].Password == nil {
			continue
		}
		s, err := docs[i].Password.Resolve(env, file)
		if err == nil {
			err = CheckPassword(s)
		}
		if err != nil {
			problems = append(problems, docs[i].Locate(Problems{{Path: "password", Message: err.Error()}})...)
			continue
		}
		docs[i].Password = &PasswordRef{Plain: s}
	}
	return problems.Err()
}
