package message_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/pkg/message/messagetest"
)

func BenchmarkScanHeader(b *testing.B) {
	raw := message.HeaderSection(messagetest.Light(1, messagetest.Recipient))
	for len(raw) < 1000 {
		raw = append([]byte("X-Spam-Status: No, score=-1.9 required=5.0 tests=BAYES_00,\r\n\tDKIM_SIGNED,DKIM_VALID,SPF_PASS\r\n"), raw...)
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		message.ScanHeader(raw)
	}
}

func BenchmarkParseLight(b *testing.B) {
	benchmark(b, messagetest.Light(1, messagetest.Recipient))
}

func BenchmarkParseAlternative(b *testing.B) {
	benchmark(b, messagetest.Alternative(messagetest.Recipient))
}

func BenchmarkParseLarge(b *testing.B) {
	benchmark(b, messagetest.Large(1, messagetest.Recipient, 1<<20))
}

// benchmark measures Parse, and how many times the standard library's time it
// takes just to read the same mail: its header, its parts, its text decoded.
func benchmark(b *testing.B, raw []byte) {
	const rounds = 50
	start := time.Now()
	for range rounds {
		if err := readWithStandardLibrary(raw); err != nil {
			b.Fatal(err)
		}
	}
	standard := time.Since(start) / rounds
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		message.Parse(raw, message.DefaultLimits())
	}
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(standard), "x-stdlib")
}

func readWithStandardLibrary(raw []byte) error {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	var words mime.WordDecoder
	if _, err := words.DecodeHeader(m.Header.Get("Subject")); err != nil {
		return err
	}
	for _, name := range []string{"From", "To"} {
		if _, err := m.Header.AddressList(name); err != nil {
			return err
		}
	}
	if _, err := m.Header.Date(); err != nil {
		return err
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		_, err = io.ReadAll(m.Body)
		return err
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var r io.Reader = p
		switch p.Header.Get("Content-Transfer-Encoding") {
		case "base64":
			r = base64.NewDecoder(base64.StdEncoding, p)
		case "quoted-printable":
			r = quotedprintable.NewReader(p)
		}
		if _, err := io.ReadAll(r); err != nil {
			return err
		}
	}
}
