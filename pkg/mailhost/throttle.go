package mailhost

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
	longestWait     = time.Hour
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

// Throttled reports whether a refusal asks us to wait, and how long.
func Throttled(code, text string) (time.Duration, bool) {
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
	n = min(n, int(longestWait/unit)) // far more would overflow
	return max(time.Duration(n)*unit, time.Second), true
}
