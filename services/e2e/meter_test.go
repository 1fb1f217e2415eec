package e2e_test

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A meter stands before a mail server and counts what comes from it.
type meter struct {
	port  int
	bytes atomic.Int64
}

func newMeter(t testing.TB, server int) *meter {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	m := &meter{port: l.Addr().(*net.TCPAddr).Port}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	all.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", server))
			if err != nil {
				_ = client.Close()
				continue
			}
			mu.Lock()
			open = append(open, client, upstream)
			mu.Unlock()
			all.Go(func() { m.pass(upstream, client, nil) })
			all.Go(func() { m.pass(client, upstream, &m.bytes) })
		}
	})
	return m
}

// pass copies until one side ends, and ends the other.
func (m *meter) pass(to, from net.Conn, count *atomic.Int64) {
	defer to.Close()
	defer from.Close()
	var w io.Writer = to
	if count != nil {
		w = io.MultiWriter(counter{count}, to)
	}
	_, _ = io.Copy(w, from) // a broken connection is how it ends
}

// received returns how many bytes came from the mail server.
func (m *meter) received() int64 { return m.bytes.Load() }

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

var bodyBytesLogged = regexp.MustCompile(`body_bytes=(\d+)`)

// bodyBytes adds up the bytes of bodies that Dovecot logged, at the end of each
// connection, to have sent to a user.
func bodyBytes(log, user string) int {
	sum := 0
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "imap("+user+")") {
			continue
		}
		if m := bodyBytesLogged.FindStringSubmatch(line); m != nil {
			n, err := strconv.Atoi(m[1])
			if err == nil {
				sum += n
			}
		}
	}
	return sum
}
