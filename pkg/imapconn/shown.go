package imapconn

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// ourTag is a tag of the dialogue's or of go-imap's.
var ourTag = regexp.MustCompile(`^[MT][0-9]+$`)

// shownCommand returns the first line of a command as it may be shown.
func shownCommand(line string) string {
	fields := strings.SplitN(line, " ", 4)
	if len(fields) < 2 {
		return line
	}
	switch strings.ToUpper(fields[1]) {
	case "LOGIN":
		return fields[0] + " LOGIN (not shown)"
	case "AUTHENTICATE":
		if len(fields) == 4 {
			return strings.Join(fields[:3], " ") + " (not shown)"
		}
	case "UID", "SEARCH": // what is searched for may be of a mail
		if strings.Contains(strings.ToUpper(line), "SEARCH") {
			return quoted.ReplaceAllString(line, `"…"`)
		}
	}
	return withLiteral(line)
}

// plainResponses are the data that are not of mails.
var plainResponses = map[string]bool{
	"CAPABILITY": true, "ENABLED": true, "ID": true, "NAMESPACE": true, "LIST": true, "LSUB": true, "XLIST": true, "STATUS": true,
	"FLAGS": true, "SEARCH": true, "ESEARCH": true, "VANISHED": true, "QUOTA": true, "QUOTAROOT": true,
	"OK": true, "NO": true, "BAD": true, "BYE": true, "PREAUTH": true,
}

// shownResponse returns a line of the server as it may be shown.
func shownResponse(line string, inside bool, p phase) string {
	if inside {
		return shownItems(line)
	}
	first, rest, _ := strings.Cut(line, " ")
	word, tail, _ := strings.Cut(rest, " ")
	word = strings.ToUpper(word)
	switch {
	case first == "+" && (p == phaseOpen || rest == ""):
		return line
	case first == "+":
		return "+ (not shown)" // a challenge
	case first == "*" && plainResponses[word], first == "*" && strings.HasPrefix(word, "["):
		return withLiteral(line)
	case ourTag.MatchString(first) && (word == "OK" || word == "NO" || word == "BAD"):
		return line
	case first == "*" && isNumber(word):
		kind, items, _ := strings.Cut(tail, " ")
		switch strings.ToUpper(kind) {
		case "EXISTS", "RECENT", "EXPUNGE":
			return line
		case "FETCH":
			return "* " + word + " FETCH " + shownItems(items)
		}
	case p == phaseGreeting:
		return line
	}
	return fmt.Sprintf("(%d bytes, not shown)", len(line))
}

func isNumber(word string) bool {
	_, err := strconv.ParseUint(word, 10, 64)
	return err == nil
}

// withLiteral tells the size of the literal that a line ends in.
func withLiteral(line string) string {
	n := literalSize([]byte(line))
	if n < 0 {
		return line
	}
	return fmt.Sprintf("%s{%d bytes}", line[:strings.LastIndexByte(line, '{')], n)
}

var (
	quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*(?:"|$)`)
	// An item is a string, the section of a body, a parenthesis, space, or a word.
	item = regexp.MustCompile(`"(?:[^"\\]|\\.)*(?:"|$)|(?i:BODY|BINARY(?:\.SIZE)?)\[[A-Za-z0-9.() -]*\](?:<[0-9]+>)?|[()]|\s+|[^\s()"]+`)
	// Of the words those are shown that are names of items, flags or numbers.
	harmless = regexp.MustCompile(`^(?i:[()]|\s+|[0-9]+|NIL|UID|FLAGS|INTERNALDATE|RFC822(?:\.(?:SIZE|HEADER|TEXT))?|ENVELOPE|BODYSTRUCTURE|(?:BODY|BINARY(?:\.SIZE)?)(?:\[[A-Z0-9.() -]*\](?:<[0-9]+>)?)?|MODSEQ|EMAILID|THREADID|X-GM-(?:MSGID|THRID|LABELS)|[\\$][A-Z]+)$`)
	gaps     = regexp.MustCompile(`…(?:\s*…)+`)
)

// shownItems returns what is told of mails without what is in them.
func shownItems(line string) string {
	literal := ""
	if n := literalSize([]byte(line)); n >= 0 {
		literal = fmt.Sprintf("{%d bytes}", n)
		line = line[:strings.LastIndexByte(line, '{')]
	}
	line = item.ReplaceAllStringFunc(line, func(s string) string {
		switch {
		case harmless.MatchString(s):
			return s
		case s[0] == '"':
			return `"…"`
		}
		return "…"
	})
	return gaps.ReplaceAllString(line, "…") + literal
}
