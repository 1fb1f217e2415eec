package apply

import "encoding/json"

// SubjectPrefix begins the subjects of requests; a kind follows.
const SubjectPrefix = "config.v1.apply."

// Subjects are the subjects of all requests, as a NATS pattern.
const Subjects = SubjectPrefix + "*"

// A Request asks for an operation.
type Request struct {
	Operation string          `json:"operation"`
	Input     json.RawMessage `json:"input,omitempty"` // an object; missing: {}
}

// An Answer has either the result or the problem.
type Answer struct {
	Result  json.RawMessage `json:"result,omitempty"`
	Problem *Problem        `json:"problem,omitempty"`
}

// A Problem says why an operation could not be done (RFC 9457, without type and
// instance).
type Problem struct {
	Title  string  `json:"title"`
	Status int     `json:"status"` // as of HTTP
	Detail string  `json:"detail,omitempty"`
	Errors []Error `json:"errors,omitempty"` // one per thing that is wrong with the input
}

// An Error is about one field.
type Error struct {
	Path    string `json:"path,omitempty"` // "imap.port", "folders[1]"; empty: the input as a whole
	Message string `json:"message"`
}
