package e2e_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/mailyard/mailyard/pkg/message"
)

// newMail returns a mail of about size bytes, to be known by its id.
func newMail(id string, size int, fields ...string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: Ada <ada@customer.example>\r\nSubject: Mail %s\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <%s@e2e.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n", id, id)
	for _, f := range fields {
		b.WriteString(f + "\r\n")
	}
	b.WriteString("\r\n")
	line := "A line of mail " + id + " " + strings.Repeat("x", 40) + "\r\n"
	for b.Len() < size {
		b.WriteString(line)
	}
	return b.Bytes()
}

// identity tells mails apart, in the messaging database and on the mail server:
// by Message-ID or, without one, by the content.
func identity(raw []byte) string {
	h, _, _ := message.ScanHeader(raw)
	for _, f := range h.Fields {
		if strings.EqualFold(f.Name, "Message-ID") {
			if id := strings.Trim(f.Value, "<> \t\r\n"); id != "" {
				return id
			}
		}
	}
	// Mail servers make line ends whole.
	lines := bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	sum := sha256.Sum256(bytes.TrimRight(lines, "\n"))
	return hex.EncodeToString(sum[:])
}
