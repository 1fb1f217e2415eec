package imaptest

import (
	"bytes"
	"fmt"
	"strings"
)

// Message returns a mail of about size bytes that only n tells from others.
func Message(n, size int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: Sender %d <sender%d@example.org>\r\nTo: support@example.com\r\nSubject: mail %d\r\nDate: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <%d@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", n, n, n, n)
	line := fmt.Sprintf("line of mail %d %s\r\n", n, strings.Repeat("x", 50))
	for b.Len() < size {
		b.WriteString(line)
	}
	return b.Bytes()
}

// Messages returns the mails numbered from first, n of them.
func Messages(first, n, size int) [][]byte {
	mails := make([][]byte, n)
	for i := range mails {
		mails[i] = Message(first+i, size)
	}
	return mails
}
