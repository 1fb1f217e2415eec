package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// A draft is what a command line says of a document: keys and their values.
type draft struct {
	sets  []string
	file  string
	texts map[string]*string // by the path in the document, of flags
	flags map[string]string  // flag by path
}

func newDraft(cmd *cobra.Command) *draft {
	d := &draft{texts: map[string]*string{}, flags: map[string]string{}}
	cmd.Flags().StringArrayVar(&d.sets, "set", nil, "set a key, such as --set imap.port=143; may be given again; an empty value sets the default")
	cmd.Flags().StringVarP(&d.file, "file", "f", "", "file with keys of the document in YAML or JSON, - for standard input")
	return d
}

// text adds a flag for a key.
func (d *draft) text(cmd *cobra.Command, flag, path, usage string) {
	d.texts[path], d.flags[path] = cmd.Flags().String(flag, "", usage), flag
}

// changes returns the keys that the command line sets, as nested objects.
func (d *draft) changes(c *command, cmd *cobra.Command) (map[string]any, error) {
	out := map[string]any{}
	if d.file != "" {
		var err error
		if out, err = c.readKeys(d.file); err != nil {
			return nil, err
		}
	}
	for path, value := range d.texts {
		if cmd.Flags().Changed(d.flags[path]) {
			set(out, path, *value)
		}
	}
	for _, s := range d.sets {
		path, value, ok := strings.Cut(s, "=")
		if !ok || path == "" {
			return nil, usagef("--set: %q is not key=value", s)
		}
		if path == "password" || strings.HasPrefix(path, "password.") {
			return nil, usagef("--set: a password does not belong on a command line, which others can read: use --password-file or --ask-password")
		}
		var v any
		if err := yaml.Unmarshal([]byte(value), &v); err != nil {
			v = value
		}
		set(out, path, v)
	}
	return out, sizes(out)
}

// sizes turns sizes that people write, "6 MB", into octets.
func sizes(doc map[string]any) error {
	for key, value := range doc {
		text, ok := value.(string)
		if !ok || !strings.HasSuffix(key, "_bytes") {
			continue
		}
		n, err := config.ParseSize(text)
		if err != nil {
			return usagef("%s: %w", key, err)
		}
		doc[key] = n
	}
	return nil
}

// set sets a key by its path.
func set(doc map[string]any, path string, value any) {
	outer, inner, nested := strings.Cut(path, ".")
	if !nested {
		doc[outer] = value
		return
	}
	deeper, ok := doc[outer].(map[string]any)
	if !ok {
		deeper = map[string]any{}
		doc[outer] = deeper
	}
	set(deeper, inner, value)
}

// merge puts changes into a document. null takes a key out, so that its default
// is in force.
func merge(doc, changes map[string]any) {
	for key, value := range changes {
		if value == nil {
			delete(doc, key)
			continue
		}
		inner, ok := value.(map[string]any)
		old, had := doc[key].(map[string]any)
		if ok && had {
			merge(old, inner)
			continue
		}
		doc[key] = value
	}
}

// readKeys reads a file with keys of one document.
func (c *command) readKeys(name string) (map[string]any, error) {
	in := c.streams.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("reading the document: %w", err)
		}
		defer f.Close()
		in = f
	}
	keys := map[string]any{}
	dec := yaml.NewDecoder(in)
	if err := dec.Decode(&keys); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading the document: %s: %w", name, err)
	}
	if err := dec.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, usagef("%s holds more than one document; `mailyard apply` takes many", name)
	}
	delete(keys, "kind")
	return keys, c.resolvePassword(keys)
}

// resolvePassword replaces a reference by the password: variables and files are
// those of whoever types the command.
func (c *command) resolvePassword(keys map[string]any) error {
	ref, ok := keys["password"].(map[string]any)
	if !ok {
		return nil
	}
	if name, ok := ref["env"].(string); ok {
		text := c.variable(name, "")
		if text == "" {
			return fmt.Errorf("password: the variable %s is not set", name)
		}
		keys["password"] = text
		return nil
	}
	if name, ok := ref["file"].(string); ok {
		raw, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the password: %w", err)
		}
		keys["password"] = strings.TrimRight(string(raw), "\r\n")
	}
	return nil
}

// A kept is a document that the service keeps, whatever its kind.
type kept struct {
	Document map[string]any `json:"document"`
}

// edit reads a document, changes it, and puts it back if nobody else changed it
// meanwhile.
func (c *command) edit(ctx context.Context, kind string, path map[string]string, changes map[string]any, based string) (reply, error) {
	var old kept
	read, err := c.read(ctx, call{operation: kind + ".get", path: path}, &old)
	if err != nil {
		return reply{}, err
	}
	if based == "" {
		based = read.revision
	} else {
		based = strconv.Quote(strings.Trim(based, `"`))
	}
	merge(old.Document, changes)
	r, err := c.ask(ctx, call{operation: kind + ".put", path: path, based: based, body: old.Document})
	if isStatus(err, 412) {
		return r, c.stale(ctx, kind, path, based, err)
	}
	return r, err
}

// stale adds to the refusal of a stale change what changed meanwhile.
func (c *command) stale(ctx context.Context, kind string, path map[string]string, based string, err error) error {
	in := operation.ListAudit{Tenant: path["tenant"], Kind: schemas.Kind(kind), ID: path[kind], Limit: 50}
	var page operation.AuditPage
	if _, failed := c.read(ctx, call{operation: "audit.list", query: query(in)}, &page); failed != nil {
		return err // it says what matters
	}
	var lines strings.Builder
	for _, e := range page.Entries { // the newest first
		if strconv.Quote(e.Revision) == based && lines.Len() > 0 {
			return &codedError{exitConflict, fmt.Errorf("%w\nChanged meanwhile:%s", err, lines.String())}
		}
		fmt.Fprintf(&lines, "\n%s by %s%s", ageText(&e.At), clean(e.Actor), fieldsText(e))
	}
	return err // it was never based on that, or very long ago
}

// fieldsText lists what an audit entry changed, a line each.
func fieldsText(e operation.AuditEntry) string {
	var b strings.Builder
	for _, f := range e.Fields {
		fmt.Fprintf(&b, "\n  %s: %s → %s", clean(f.Path), valueText(f.Before), valueText(f.After))
	}
	return b.String()
}

func valueText(raw json.RawMessage) string {
	if len(raw) == 0 {
		return "(none)"
	}
	return oneLine(string(raw), 60)
}
