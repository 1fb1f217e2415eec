package cloudevents

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/mailyard/mailyard/schemas"
)

// Structured renders a message in the CloudEvents JSON format: attributes as
// strings, the payload as "data" when its content type is JSON or one of the
// two framed ones (schemas.ContentDecision, schemas.ContentNATS), else as
// "data_base64". It knows no event types, so it renders unknown ones too.
// Headers that are no attributes are left out.
func Structured(header map[string][]string, payload []byte) ([]byte, error) {
	event := map[string]any{}
	for name, values := range header {
		if len(name) <= len(Prefix) || !strings.EqualFold(name[:len(Prefix)], Prefix) {
			continue
		}
		attribute := strings.ToLower(name[len(Prefix):])
		if !validName(attribute) {
			return nil, fmt.Errorf("rendering event: %q is not the name of an attribute", attribute)
		}
		if _, twice := event[attribute]; twice || len(values) != 1 {
			return nil, fmt.Errorf("rendering event: attribute %s does not have one value", attribute)
		}
		value, err := unescape(values[0])
		if err != nil {
			return nil, fmt.Errorf("rendering attribute %s: %w", attribute, err)
		}
		event[attribute] = value
	}
	contentType, _ := event["datacontenttype"].(string)
	key, data, err := structuredData(contentType, payload)
	if err != nil {
		return nil, fmt.Errorf("rendering payload of %v: %w", event["type"], err)
	}
	event[key] = data
	out, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("rendering event: %w", err)
	}
	return out, nil
}

func structuredData(contentType string, payload []byte) (key string, data any, err error) {
	switch {
	case contentType == schemas.ContentJSON, strings.HasSuffix(contentType, "+json"):
		if !json.Valid(payload) {
			return "", nil, fmt.Errorf("it is not JSON")
		}
		return dataField, json.RawMessage(payload), nil
	case contentType == schemas.ContentDecision:
		var m schemas.ClassifiedMail
		if err := m.UnmarshalBinary(payload); err != nil {
			return "", nil, err
		}
		head, _, _ := strings.Cut(string(payload), "\n")
		return dataField, map[string]any{"decision": json.RawMessage(head), "mail": m.Mail}, nil
	case contentType == schemas.ContentNATS:
		var m schemas.NATSMessage
		if err := m.UnmarshalBinary(payload); err != nil {
			return "", nil, err
		}
		return dataField, m, nil
	}
	return binaryField, base64.StdEncoding.EncodeToString(payload), nil
}

// validName reports whether a name obeys CloudEvents 1.0 section 3.1 (lower-case
// letters and digits) and is not a member of the JSON format itself.
func validName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return s != dataField
}
