package message

import "strings"

const (
	maxIDs = 1000
	maxID  = 998 // a line of RFC 5322
)

// parseIDs reads message ids (RFC 5322, section 3.6.4): what stands in angle
// brackets, or, if nothing does, the words.
func parseIDs(s string) []string {
	var ids []string
	bracketed := strings.Contains(s, "<")
	for s != "" && len(ids) < maxIDs {
		var id string
		if bracketed {
			var ok bool
			if _, s, ok = strings.Cut(s, "<"); !ok {
				break
			}
			id, s, _ = strings.Cut(s, ">")
		} else {
			s = strings.TrimLeft(s, " \t,")
			end := strings.IndexAny(s, " \t,")
			if end < 0 {
				end = len(s)
			}
			id, s = s[:end], s[end:]
		}
		// White space inside comes from folding in the middle of a long id.
		id = strings.Join(strings.Fields(id), "")
		if id = clip(strings.Trim(id, "<>"), maxID); id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

func firstID(s string) string {
	if ids := parseIDs(s); len(ids) > 0 {
		return ids[0]
	}
	return ""
}
