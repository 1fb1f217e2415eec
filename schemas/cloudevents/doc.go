// Package cloudevents encodes event structs as NATS messages in the binary
// content mode of CloudEvents 1.0 (NATS protocol binding, section 3.1), and
// renders any such message in the JSON format, as the schemas describe it.
//
// An event is a struct whose fields have json tags: each tag names a context
// attribute, which becomes the header "ce-<name>"; the field tagged "data" or
// "data_base64" becomes the payload. Attributes are strings, times or integers.
// The codec is written by hand because the CloudEvents SDK departs from the
// binding in percent-encoding, datacontenttype and mode detection.
package cloudevents
