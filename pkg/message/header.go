package message

import "strings"

// A Header is the header section of a mail: its fields in their order.
type Header struct {
	Fields []Field
}

// A Field is one header field. Value is unfolded (CRLF and the white space
// that follows it became one space), trimmed, and valid UTF-8; encoded words
// are left as they are.
type Field struct {
	Name  string // as it stands in the mail
	Value string
}

// Get returns the value of the first field of that name, "" if there is none.
func (h Header) Get(name string) string {
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// Values returns the values of all fields of that name, in their order.
func (h Header) Values(name string) []string {
	var vs []string
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, name) {
			vs = append(vs, f.Value)
		}
	}
	return vs
}
