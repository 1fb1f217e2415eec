package smtpconn

import (
	"bytes"
	"net"
	"time"
)

// A guard stands between go-smtp and the network: it first gives a greeting of
// ours for the one that was read already, bounds what the server may say between
// two writes, and gives writes a deadline where go-smtp has none. It is used by
// one goroutine at a time.
type guard struct {
	net.Conn
	first   []byte // for go-smtp, before anything else
	timeout time.Duration
	said    int64  // bytes since the last write
	tail    []byte // the end of them
}

func (g *guard) Read(p []byte) (int, error) {
	if len(g.first) > 0 {
		n := copy(p, g.first)
		g.first = g.first[n:]
		return n, nil
	}
	n, err := g.Conn.Read(p)
	if g.said += int64(n); g.said > maxReply {
		return 0, errTooMuch
	}
	g.tail = append(g.tail, p[:n]...)
	g.tail = g.tail[max(0, len(g.tail)-maxLine):]
	return n, err
}

func (g *guard) Write(p []byte) (int, error) {
	g.said, g.tail = 0, nil
	g.Conn.SetWriteDeadline(time.Now().Add(g.timeout))
	return g.Conn.Write(p)
}

// lastLine returns the last line that the server said since the last write.
func (g *guard) lastLine() string {
	text := bytes.TrimRight(g.tail, "\r\n")
	return string(text[bytes.LastIndexByte(text, '\n')+1:])
}
