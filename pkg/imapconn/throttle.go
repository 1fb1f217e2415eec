package imapconn

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Waits where the server gives none.
const (
	waitConnections = time.Minute
	waitThrottled   = 2 * time.Minute
	maxWait         = time.Hour
)

// Exchange Online: "Request is throttled. Suggested Backoff Time: 89117 milliseconds".
var backoffTime = regexp.MustCompile(`(?i)(?:backoff time|retry after|try again (?:in|after)|wait)[: ]+(\d{1,9}) ?(milliseconds|ms|seconds|secs?|s|minutes|mins?|m)?\b`)

// texts by which servers say that they are asked for too much, lower case.
var throttleTexts = []struct {
	text string
	wait time.Duration
}{
	{"throttled", waitThrottled},
	{"too many simultaneous", waitConnections}, // Gmail
	{"maximum number of connections", waitConnections},
	{"too many connections", waitConnections},
	{"connection limit", waitConnections},
	{"too many login", waitThrottled},
	{"too many failed", 10 * time.Minute},
	{"too many invalid", 10 * time.Minute},
	{"rate limit", waitThrottled},
	{"bandwidth limit", 30 * time.Minute},                 // Gmail, with [OVERQUOTA]
	{"authenticated but not connected", 5 * time.Minute},  // Exchange: too many sign-ins, or no licence
	{"temporary authentication failure", waitConnections}, // Dovecot
	{"temporarily unavailable", waitConnections},
	{"temporary", waitConnections},
	{"try again later", waitThrottled},
	{"server busy", waitConnections},
	{"server unavailable", waitConnections},
}

// throttled reports whether a refusal asks us to wait, and how long.
func throttled(code, text string) (time.Duration, bool) {
	lower := strings.ToLower(text)
	wait := time.Duration(0)
	switch code {
	case "UNAVAILABLE", "INUSE":
		wait = waitConnections
	case "LIMIT", "THROTTLED":
		wait = waitThrottled
	}
	for _, t := range throttleTexts {
		if strings.Contains(lower, t.text) {
			wait = max(wait, t.wait)
			break
		}
	}
	if wait == 0 {
		return 0, false
	}
	if said, ok := backoff(text); ok {
		wait = said
	}
	return wait, true
}

// backoff returns the wait that a text names, between a second and an hour.
func backoff(text string) (time.Duration, bool) {
	m := backoffTime.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, false
	}
	unit := time.Second
	switch u := strings.ToLower(m[2]); {
	case u == "milliseconds" || u == "ms":
		unit = time.Millisecond
	case strings.HasPrefix(u, "m"):
		unit = time.Minute
	}
	return min(max(time.Duration(n)*unit, time.Second), maxWait), true
}

// loginHint says how to mend a refused sign-in, by what providers are known for.
func loginHint(host, text string) string {
	host, text = strings.ToLower(host), strings.ToLower(text)
	switch {
	case strings.Contains(text, "application-specific") || strings.Contains(text, "app password"):
		return "this provider wants an app password instead of the account's password"
	case strings.Contains(text, "web browser") || strings.Contains(text, "weblogin"):
		return "the provider wants a sign-in with a browser first"
	case strings.HasSuffix(host, "office365.com") || strings.HasSuffix(host, "outlook.com"):
		return "Microsoft takes no passwords for IMAP any more"
	case strings.HasSuffix(host, "gmail.com") || strings.HasSuffix(host, "googlemail.com"):
		return "Google takes app passwords only"
	case strings.HasSuffix(host, "me.com") || strings.HasSuffix(host, "icloud.com"):
		return "Apple takes app passwords only"
	case strings.HasSuffix(host, "yahoo.com") || strings.HasSuffix(host, "aol.com"):
		return "Yahoo and AOL take app passwords only"
	case strings.Contains(text, "logindisabled"):
		return "the server takes no password over this connection: check imap.port and imap.security"
	}
	return "check username and password"
}
