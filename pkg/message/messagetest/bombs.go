package messagetest

import (
	"fmt"
	"strings"
)

// Nested returns a mail of multiparts nested depth levels deep.
func Nested(to string, depth int) []byte {
	d := compose("deep-nesting", to, "Deep", `Content-Type: multipart/mixed; boundary="b0"`)
	var b strings.Builder
	for i := 1; i < depth; i++ {
		fmt.Fprintf(&b, "--b%d\r\nContent-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n", i-1, i)
	}
	return d.body(b.String())
}

// Parts returns a multipart of n empty parts.
func Parts(to string, n int) []byte {
	d := compose("too-many-parts", to, "Parts", `Content-Type: multipart/mixed; boundary="p"`)
	return d.body(strings.Repeat("--p\r\n\r\n", n) + "--p--")
}

// PartHeader returns a multipart with one part whose header section has size bytes.
func PartHeader(to string, size int) []byte {
	d := compose("part-header", to, "Part header", `Content-Type: multipart/mixed; boundary="p"`)
	const line = "X-Padding: 0123456789012345678901234567890123456789\r\n"
	return d.body("--p", "Content-Type: text/plain", strings.Repeat(line, size/len(line)), "The body is still found.", "--p--")
}

// Continuations returns a mail with a file name in n sections (RFC 2231).
func Continuations(to string, n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ";\r\n filename*%d=x", i)
	}
	return compose("continuations", to, "Continuations", "Content-Disposition: attachment"+b.String()).body("x")
}
