package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/process"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/services/admin/operation"
	"github.com/mailyard/mailyard/services/admin/rest"
)

// longest is how long an answer may take: that of a bulk test.
const longest = 16 * time.Minute

// maxAnswer is the most of an answer that is read: no mail is larger.
const maxAnswer = 256 << 20

// A call asks the running service for an operation.
type call struct {
	operation string
	path      map[string]string // parameters in the path
	query     url.Values
	based     string // If-Match, or "new" for If-None-Match: *
	body      any
	lines     bool // the answer comes line by line
}

// A reply is what the service answered.
type reply struct {
	body     []byte
	revision string // ETag
	file     string // name of a download
}

// remote finds the service: the one that is named, or that of the local
// installation, which lets whoever can read its folder in.
func (c *command) remote() (base string, token secret.String, err error) {
	token, err = c.givenToken()
	if err != nil {
		return "", token, err
	}
	if c.server != "" {
		u, err := url.Parse(c.server)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return "", token, usagef("--server: %q is not the address of a service, such as https://mail.example.org", c.server)
		}
		return strings.TrimRight(c.server, "/"), token, nil
	}
	e, running, err := c.home().Endpoints()
	if err != nil {
		return "", token, err
	}
	if !running || e.AdminURL == "" {
		return "", token, &codedError{exitAway, errNotRunning}
	}
	if token.IsZero() {
		token = secret.NewString(e.AdminToken)
	}
	return e.AdminURL, token, nil
}

// givenToken returns the API token of the command line; empty if there is none.
func (c *command) givenToken() (secret.String, error) {
	if c.token != "" {
		return secret.NewString(c.token), nil
	}
	if t := c.variable("MAILYARD_TOKEN", ""); t != "" {
		return secret.NewString(t), nil
	}
	file := c.variable("MAILYARD_TOKEN_FILE", "")
	if file == "" {
		return secret.String{}, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return secret.String{}, fmt.Errorf("reading the API token: %w", err)
	}
	return secret.NewString(strings.TrimSpace(string(raw))), nil
}

// send sends a request. The caller closes the body.
func (c *command) send(ctx context.Context, k call) (*http.Response, error) {
	o, ok := operation.Find(k.operation)
	if !ok {
		return nil, fmt.Errorf("there is no operation %s", k.operation)
	}
	base, token, err := c.remote()
	if err != nil {
		return nil, err
	}
	path := o.Path
	for name, value := range k.path {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	var body io.Reader
	if k.body != nil {
		raw, err := json.Marshal(k.body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(raw)
	}
	target := base + rest.Prefix + path
	if len(k.query) > 0 {
		target += "?" + k.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, o.Method, target, body)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "mailyard/"+process.Version())
	if !token.IsZero() {
		r.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if k.lines {
		r.Header.Set("Accept", "application/x-ndjson")
	}
	switch k.based {
	case "":
	case "new":
		r.Header.Set("If-None-Match", "*")
	default:
		r.Header.Set("If-Match", k.based)
	}
	answered, err := c.client().Do(r)
	if err != nil {
		return nil, unreached(ctx, base, err)
	}
	return answered, nil
}

// client does not follow redirects: the token is for the service that was named.
func (c *command) client() *http.Client {
	return &http.Client{
		Timeout:       longest,
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: longest},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// unreached says that the service did not answer, without the address of the
// request, which may hold what was searched for.
func unreached(ctx context.Context, base string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var where *url.Error
	if errors.As(err, &where) {
		err = where.Err
	}
	return &codedError{exitAway, fmt.Errorf("mailyard at %s does not answer: %w", base, err)}
}

// ask performs an operation and reads the whole answer.
func (c *command) ask(ctx context.Context, k call) (reply, error) {
	answered, err := c.send(ctx, k)
	if err != nil {
		return reply{}, err
	}
	defer answered.Body.Close()
	if err := refused(answered); err != nil {
		return reply{}, err
	}
	raw, err := io.ReadAll(io.LimitReader(answered.Body, maxAnswer))
	if err != nil {
		return reply{}, &codedError{exitAway, fmt.Errorf("reading the answer of mailyard: %w", err)}
	}
	_, disposition, err := mime.ParseMediaType(answered.Header.Get("Content-Disposition"))
	if err != nil {
		disposition = nil // most answers are no files
	}
	return reply{body: raw, revision: answered.Header.Get("ETag"), file: disposition["filename"]}, nil
}

// read is ask with the answer decoded.
func (c *command) read(ctx context.Context, k call, into any) (reply, error) {
	r, err := c.ask(ctx, k)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(r.body, into); err != nil {
		return r, fmt.Errorf("reading the answer of mailyard to %s: %w", k.operation, err)
	}
	return r, nil
}

// refused returns the problem that the service answered with, nil if it did not.
func refused(answered *http.Response) error {
	if answered.StatusCode < 300 {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(answered.Body, 1<<20))
	if err != nil {
		return &codedError{exitAway, fmt.Errorf("reading the answer of mailyard: %w", err)}
	}
	p := &operation.Problem{}
	if err := json.Unmarshal(raw, p); err != nil || p.Status == 0 {
		p = &operation.Problem{Title: answered.Status, Status: answered.StatusCode, Detail: fmt.Sprintf("the server answers %s; is it the address of mailyard?", answered.Status)}
	}
	if p.Status == http.StatusUnauthorized {
		p.Detail += "; give an API token by MAILYARD_TOKEN or MAILYARD_TOKEN_FILE"
	}
	return &codedError{codeOf(p.Status), p}
}

// show prints what the service answered: as it is for programs, or by people.
func (c *command) show(r reply, people func() error) error {
	if !c.json {
		return people()
	}
	var out bytes.Buffer
	if err := json.Indent(&out, r.body, "", "  "); err != nil {
		return err
	}
	return writeAll(c.streams.Out, append(bytes.TrimSpace(out.Bytes()), '\n'))
}

// query makes the query of flags that were given: fields with a tag "query".
func query(in any) url.Values {
	q := url.Values{}
	fill(reflect.ValueOf(in), q)
	return q
}

func fill(v reflect.Value, q url.Values) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name := f.Tag.Get("query")
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct:
			fill(v.Field(i), q)
		case name == "" || v.Field(i).IsZero():
		case f.Type.Kind() == reflect.Slice:
			for j := range v.Field(i).Len() {
				q.Set(name, strings.TrimPrefix(q.Get(name)+","+fmt.Sprint(v.Field(i).Index(j)), ","))
			}
		default:
			q.Set(name, fmt.Sprint(v.Field(i)))
		}
	}
}

// clean makes what others wrote in one line that a terminal can take.
func clean(s string) string { return oneLine(cmp.Or(s, "-"), 90) }
