package message_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/address"
	"github.com/mailyard/mailyard/pkg/message"
)

func TestFieldsOfTheHeader(t *testing.T) {
	t.Parallel()
	raw := strings.Join([]string{
		"Authentication-Results: mx.example.com; spf=pass", "Authentication-Results: other; spf=fail",
		"From: =?utf-8?q?J=C3=BCrgen?= <j@example.com>", "Sender: s@example.com", "Reply-To: r@example.com",
		"To: a@example.com,", " b@example.com", "To: c@example.com", "Cc: d@example.com", "Bcc: e@example.com",
		"Subject: one", "Subject: two", "Message-ID:", " <id", " .x@example.com>", "In-Reply-To: Your mail of today <p@x> and <q@x>",
		"References: <o@x><p@x> junk <q@x>", "Date: Wed, 3 Jul 2024 15:04:05 +0200", "", "x"}, "\r\n")
	m := message.Parse([]byte(raw), message.DefaultLimits())
	at := func(locals ...string) (list []address.Address) {
		for _, l := range locals {
			list = append(list, address.Address{Local: l, Domain: "example.com"})
		}
		return list
	}
	from := at("j")
	from[0].Name = "Jürgen"
	got := message.Message{MessageID: m.MessageID, InReplyTo: m.InReplyTo, References: m.References, Subject: m.Subject, Date: m.Date,
		From: m.From, Sender: m.Sender, ReplyTo: m.ReplyTo, To: m.To, Cc: m.Cc, Bcc: m.Bcc, AuthResults: m.AuthResults, Defects: m.Defects}
	want := message.Message{MessageID: "id.x@example.com", InReplyTo: "p@x", References: []string{"o@x", "p@x", "q@x"}, Subject: "one",
		Date: time.Date(2024, 7, 3, 13, 4, 5, 0, time.UTC), From: from, Sender: at("s"), ReplyTo: at("r"), To: at("a", "b", "c"), Cc: at("d"), Bcc: at("e"),
		AuthResults: []string{"mx.example.com; spf=pass", "other; spf=fail"}, Defects: []message.Defect{{Code: message.DefectDuplicateField, Detail: "Subject"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestTenThousandRecipientsAreAllRead(t *testing.T) {
	t.Parallel()
	if m := parseSample(t, "many-recipients"); len(m.Cc) != 10_000 || m.Cc[9999].Local != "r09999" {
		t.Errorf("%d recipients", len(m.Cc))
	}
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	hash := func(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }
	multipart := func(subtype string, parts ...string) string {
		return "A: b\r\nContent-Type: multipart/" + subtype + "; boundary=b\r\n\r\n--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n"
	}
	for _, c := range []struct {
		name, raw string
		want      message.Attachment
	}{
		{"the whole mail is a file", "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nYWJj",
			message.Attachment{Filename: "a.pdf", ContentType: "application/pdf", Content: []byte("abc"), Part: "1"}},
		{"text called an attachment", multipart("mixed", "\r\nx", "Content-Disposition: attachment\r\n\r\nabc"),
			message.Attachment{Filename: "part-2.txt", ContentType: "text/plain", Content: []byte("abc"), Part: "2"}},
		{"named text behind the first", multipart("mixed", "\r\nx", "Content-Type: text/plain; name=n.txt\r\n\r\nabc"),
			message.Attachment{Filename: "n.txt", ContentType: "text/plain", Content: []byte("abc"), Part: "2"}},
		{"an image without disposition", multipart("related", "Content-Type: text/html\r\n\r\n<p>x", "Content-Type: image/png\r\nContent-ID: <c@x>\r\n\r\nabc"),
			message.Attachment{Filename: "part-2.png", ContentType: "image/png", ContentID: "c@x", Inline: true, Content: []byte("abc"), Part: "2"}},
		{"an image called an attachment, but shown", multipart("related", "Content-Type: text/html\r\n\r\n<img src='cid:c%40x'>", "Content-Type: image/png\r\nContent-Disposition: attachment\r\nContent-ID: <c@x>\r\n\r\nabc"),
			message.Attachment{Filename: "part-2.png", ContentType: "image/png", ContentID: "c@x", Inline: true, Content: []byte("abc"), Part: "2"}},
		{"an image that is not shown", multipart("mixed", "Content-Type: text/html\r\n\r\n<p>x", "Content-Type: image/png\r\nContent-Disposition: attachment\r\nContent-ID: <c@x>\r\n\r\nabc"),
			message.Attachment{Filename: "part-2.png", ContentType: "image/png", ContentID: "c@x", Content: []byte("abc"), Part: "2"}},
		{"a mail without a type in a digest", multipart("digest", "\r\nSubject: In/ner\r\n\r\nabc"),
			message.Attachment{Filename: "In_ner.eml", ContentType: "message/rfc822", Content: []byte("Subject: In/ner\r\n\r\nabc"), Part: "1", Message: true}},
		{"a calendar among the alternatives", multipart("alternative", "\r\nx", "Content-Type: text/calendar\r\n\r\nabc"),
			message.Attachment{Filename: "part-2.ics", ContentType: "text/calendar", Content: []byte("abc"), Part: "2"}},
		{"nested part number", multipart("mixed", "\r\nx", "Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: a/b\r\n\r\nabc\r\n--c--"),
			message.Attachment{Filename: "part-2.1.bin", ContentType: "a/b", Content: []byte("abc"), Part: "2.1"}},
		{"a type that is none", "Content-Type: not a type\r\n\r\nabc",
			message.Attachment{Filename: "part-1.bin", ContentType: "application/octet-stream", Content: []byte("abc"), Part: "1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := message.Parse([]byte(c.raw), message.DefaultLimits())
			c.want.Size, c.want.SHA256 = int64(len(c.want.Content)), hash(string(c.want.Content))
			if diff := cmp.Diff([]message.Attachment{c.want}, m.Attachments); diff != "" {
				t.Errorf("attachments (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTextIsTakenFromTheRightParts(t *testing.T) {
	t.Parallel()
	alternative := func(parts ...string) string {
		return "A: b\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n"
	}
	const page = "Content-Type: text/html\r\n\r\n<p>page"
	for _, c := range []struct{ name, raw, text, html string }{
		{"plain and page", alternative("\r\nplain", page), "plain", "<p>page"},
		{"page before plain", alternative(page, "\r\nplain"), "plain", "<p>page"},
		{"plain is blank", alternative("\r\n \r\n", page), "page", "<p>page"},
		{"plain with a name", alternative("Content-Type: text/plain; name=x.txt\r\n\r\nplain", page), "plain", "<p>page"},
		{"page names its charset", "Content-Type: text/html\r\n\r\n<meta charset=\"koi8-r\"><p>\xD0\xD2\xC9", "при", "<meta charset=\"koi8-r\"><p>при"},
		{"byte order mark", "A: b\r\n\r\n\uFEFFx", "x", ""},
		{"no type in upper case", "CONTENT-TYPE: TEXT/HTML\r\n\r\n<p>x", "x", "<p>x"},
	} {
		m := message.Parse([]byte(c.raw), message.DefaultLimits())
		if m.Text != c.text || m.HTML != c.html {
			t.Errorf("%s: text %q, page %q; want %q and %q", c.name, m.Text, m.HTML, c.text, c.html)
		}
	}
}

func TestAnOuterBoundaryEndsInnerParts(t *testing.T) {
	t.Parallel()
	raw := "A: b\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n--out\r\nContent-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\n\r\none\r\n--out\r\n\r\ntwo\r\n--out--\r\n--out\r\n\r\nthree\r\n"
	m := message.Parse([]byte(raw), message.DefaultLimits())
	if m.Text != "one\ntwo\nthree\n" {
		t.Errorf("text %q", m.Text)
	}
	want := []message.Defect{
		{Code: message.DefectBoundaryUnclosed, Detail: "the final boundary is missing", Part: "1"},
		{Code: message.DefectPartsAfterEnd, Detail: "parts after the final boundary"},
		{Code: message.DefectBoundaryUnclosed, Detail: "the final boundary is missing"},
	}
	if diff := cmp.Diff(want, m.Defects); diff != "" {
		t.Errorf("defects (-want +got):\n%s", diff)
	}
}
