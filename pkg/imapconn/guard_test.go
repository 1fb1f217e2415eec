package imapconn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipe returns a guard and the server's end of its connection.
func pipe(t *testing.T) (*guard, net.Conn) {
	client, server := net.Pipe()
	g := newGuard(client, client, nil, nil, Options{}.withDefaults(), new(counters))
	t.Cleanup(func() { client.Close(); server.Close() })
	return g, server
}

// readAll reads until an error, which it returns with the time it took.
func readAll(g *guard) (string, time.Duration, error) {
	start := time.Now()
	var b strings.Builder
	p := make([]byte, 4096)
	for {
		n, err := g.Read(p)
		b.Write(p[:n])
		if err != nil {
			return b.String(), time.Since(start), err
		}
	}
}

func TestGuardTimers(t *testing.T) {
	drip := func(server net.Conn, every time.Duration) {
		io.WriteString(server, "* 1 FETCH (UID 1 BODY[] {100000}\r\n")
		for {
			<-time.After(every)
			if _, err := server.Write([]byte("x")); err != nil {
				return
			}
		}
	}
	for name, test := range map[string]struct {
		serve    func(server net.Conn)
		client   func(g *guard) // beside the reader
		want     error
		min, max time.Duration
	}{
		"idle connections wait": {
			serve: func(server net.Conn) { <-time.After(3 * time.Hour); server.Close() },
			want:  io.EOF, min: 3 * time.Hour, max: 3 * time.Hour,
		},
		"silence after a command": {
			client: func(g *guard) { <-time.After(time.Hour); g.begin(context.Background(), 0, time.Minute) },
			want:   errStalled, min: time.Hour + time.Minute, max: time.Hour + time.Minute,
		},
		"silence after a command that is done": {
			serve: func(server net.Conn) { <-time.After(3 * time.Hour); server.Close() },
			client: func(g *guard) {
				end := g.begin(context.Background(), time.Minute, time.Minute)
				<-time.After(59 * time.Second)
				end()
			},
			want: io.EOF, min: 3 * time.Hour, max: 3 * time.Hour,
		},
		"two commands, one done": {
			client: func(g *guard) {
				end := g.begin(context.Background(), 0, time.Minute)
				g.begin(context.Background(), 0, time.Minute)
				<-time.After(30 * time.Second)
				end()
			},
			want: errStalled, min: time.Minute, max: time.Minute,
		},
		"progress": {
			serve:  func(server net.Conn) { drip(server, 10*time.Millisecond) },
			client: func(g *guard) { g.begin(context.Background(), 5*time.Minute, time.Minute) },
			want:   errPhase, min: 5 * time.Minute, max: 5 * time.Minute,
		},
		"too little progress": {
			serve:  func(server net.Conn) { drip(server, 30*time.Second) },
			client: func(g *guard) { g.begin(context.Background(), 0, time.Minute) },
			want:   errSlow, min: slowWindow, max: slowWindow + time.Minute,
		},
		"end of the context": {
			client: func(g *guard) {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				g.begin(ctx, 0, time.Minute)
				<-ctx.Done()
				synctest.Wait()
			},
			want: context.DeadlineExceeded, min: time.Second, max: time.Second,
		},
		"end in a literal": {
			serve: func(server net.Conn) { io.WriteString(server, "* 1 FETCH (UID 1 BODY[] {10}\r\nx"); server.Close() },
			want:  io.ErrUnexpectedEOF,
		},
		"go-imap's own deadlines": {
			serve: func(server net.Conn) { <-time.After(time.Hour); server.Close() },
			client: func(g *guard) {
				g.SetReadDeadline(time.Now().Add(time.Second))
				g.SetDeadline(time.Now().Add(time.Second))
			},
			want: io.EOF, min: time.Hour, max: time.Hour,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, server := pipe(t)
				var beside sync.WaitGroup
				if test.serve != nil {
					beside.Go(func() { test.serve(server) })
				}
				if test.client != nil {
					beside.Go(func() { test.client(g) })
				}
				_, took, err := readAll(g)
				if !errors.Is(err, test.want) || took < test.min || took > test.max {
					t.Errorf("after %v: %v, want %v after %v to %v", took, err, test.want, test.min, test.max)
				}
				// go-imap reads again after an error, and must not wait again.
				if _, took, again := readAll(g); again != err || took != 0 {
					t.Errorf("for the second time, after %v: %v", took, again)
				}
				server.Close()
				beside.Wait()
			})
		})
	}
}

func TestIdleGuardHoldsNoBuffer(t *testing.T) {
	g, server := pipe(t)
	g.bulk.Store(true)
	go io.WriteString(server, strings.Repeat("* 5 EXISTS\r\n", 10_000)+"* SEARCH "+strings.Repeat("123456 ", 50_000)+"\r\n")
	p := make([]byte, 4096)
	read := func(n int) {
		t.Helper()
		for n > 0 {
			m, err := g.Read(p)
			if err != nil {
				t.Fatal(err)
			}
			n -= m
		}
	}
	read(10_000*12 + 9 + 350_000 + 2)
	if cap(g.buf) < guardBuffer {
		t.Errorf("%d bytes while much is expected", cap(g.buf))
	}
	g.bulk.Store(false)
	go io.WriteString(server, "* 6 EXISTS\r\n")
	read(12)
	if cap(g.buf) > 0 || cap(g.in) > 64 {
		t.Errorf("%d and %d bytes while nothing is expected", cap(g.buf), cap(g.in))
	}
}

func TestGuardCounts(t *testing.T) {
	g, server := pipe(t)
	const said = "* 1 FETCH (UID 1 BODY[] {5}\r\nhello)\r\n* 2 FETCH (UID 2 BODY[HEADER]<0> {2}\r\n\r\n)\r\n* XANY {3}\r\nabc x\r\n"
	go func() { io.WriteString(server, said); server.Close() }()
	readAll(g)
	if n := g.counters; n.body.Load() != 5 || n.header.Load() != 2 || n.read.Load() != int64(len(said)) {
		t.Errorf("body %d, header %d, read %d", n.body.Load(), n.header.Load(), n.read.Load())
	}
}

// chopped is a connection that gives its bytes in pieces.
type chopped struct {
	net.Conn
	rest  []byte
	sizes []byte
	n     int
}

func (c *chopped) Read(p []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	size := len(c.rest)
	if len(c.sizes) > 0 {
		size = int(c.sizes[c.n%len(c.sizes)])%31 + 1
		c.n++
	}
	n := copy(p[:min(len(p), size)], c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *chopped) SetReadDeadline(time.Time) error { return nil }
func (c *chopped) SetDeadline(time.Time) error     { return nil }
func (c *chopped) Write(p []byte) (int, error)     { return len(p), nil }
func (c *chopped) Close() error                    { return nil }

// guarded passes bytes through a guard.
func guarded(said, sizes []byte, piece int, bulk bool) (string, error) {
	conn := &chopped{rest: said, sizes: sizes}
	opts := Options{MaxLiteral: 1000}.withDefaults()
	g := newGuard(conn, conn, nil, nil, opts, new(counters))
	g.bulk.Store(bulk)
	var b bytes.Buffer
	p := make([]byte, piece)
	for {
		n, err := g.Read(p)
		b.Write(p[:n])
		if err != nil {
			return b.String(), err
		}
	}
}

// What the guard makes of a server's bytes does not depend on how they come.
func FuzzGuard(f *testing.F) {
	for _, s := range []string{
		"* OK [CAPABILITY IMAP4rev1] x\r\n* 1 FETCH (UID 1 FLAGS (\\Seen) BODY[] {5}\r\nhello)\r\nT1 OK done\r\n",
		"* 1 FETCH (BODY[] {5}\r\nhello UID 1)\r\n* SEARCH 1 2 3\r\n* BYE\r\n",
		"* XANY {3}\r\na\nb c\r\n* LIST () \"\" {5}\r\nINBOX\r\n+ x\r\n",
		"* 1 FETCH (UID 1 INTERNALDATE NIL RFC822.SIZE -1 BODY[HEADER]<0> \"a\\\"b\")\r\n",
		"* 1 FETCH (UID 7 BODY[] {1001}\r\n", "{5}\r\n", "* OK {10}\r\n* [COPYUID 1 2:3 4:5] x\n", "* 1 FETCH (BODY[] {0}\r\n)\r\n",
	} {
		f.Add([]byte(s), []byte{1, 7, 30}, uint16(5))
	}
	f.Fuzz(func(t *testing.T, said, sizes []byte, piece uint16) {
		whole, wholeErr := guarded(said, nil, 4096, false)
		chopped, choppedErr := guarded(said, sizes, int(piece)%5000+1, true)
		if whole != chopped || (wholeErr == nil) != (choppedErr == nil) || wholeErr.Error() != choppedErr.Error() {
			t.Errorf("%q becomes %q, %v\nin pieces %q, %v", said, whole, wholeErr, chopped, choppedErr)
		}
		for line := range strings.Lines(whole) {
			if len(line) > maxListing {
				t.Errorf("a line of %d bytes", len(line))
			}
		}
	})
}

func BenchmarkGuard(b *testing.B) {
	mail := strings.Repeat("a line of text in a mail of five kilobytes\r\n", 112)
	var said bytes.Buffer
	for range 1000 {
		said.WriteString("* 1 FETCH (UID 123456 BODY[] {4928}\r\n" + mail + ")\r\n")
	}
	b.SetBytes(int64(said.Len()))
	for b.Loop() {
		conn := &chopped{rest: said.Bytes()}
		g := newGuard(conn, conn, nil, nil, Options{}.withDefaults(), new(counters))
		g.bulk.Store(true)
		io.Copy(io.Discard, g)
	}
}
