package doctor

import (
	"slices"
	"strings"
)

// capabilities that matter, and what their lack means.
func mattering() [][2]string {
	return [][2]string{
		{"MOVE", "mail is moved by copying and deleting, which needs room for both copies"},
		{"UIDPLUS", "mail cannot be expunged one by one: without MOVE it stays in the inbox, marked as deleted; with it, some may stay in the deleted folder"},
		{"IDLE", "the server does not tell of new mail; it is asked every 45 seconds"},
		{"NAMESPACE", "where folders are made is guessed from the folder list"},
		{"ID", "nothing; a few providers demand it, this one does not"},
		{"ESEARCH", "listings of large inboxes are longer"},
		{"UTF8=ACCEPT", "nothing; folder names are sent in modified UTF-7"},
	}
}

// capabilities tells what the server can do. Before the sign-in it may not tell
// all of it.
func (r *run) capabilities(s *Step, caps []string, signedIn bool) {
	s.Answer, s.Facts, s.Remedy, s.Outcome = strings.Join(caps, " "), nil, "", OK
	if len(s.Answer) > 2000 {
		s.Answer = s.Answer[:2000] + "…"
	}
	has := func(name string) bool {
		return slices.Contains(caps, name) || name != "UTF8=ACCEPT" && slices.Contains(caps, "IMAP4REV2")
	}
	for _, m := range mattering() {
		switch {
		case has(m[0]):
			s.fact(m[0], "yes")
		case signedIn:
			s.fact(m[0], "no: "+m[1])
		}
	}
	if signedIn && !has("MOVE") && !has("UIDPLUS") {
		s.warn("Without MOVE and UIDPLUS no mail can be taken out of the inbox safely: handled mail stays there, marked as deleted. Ask the provider for a server with MOVE.")
	}
}
