package messagetest

import (
	"strconv"
	"strings"
	"time"
)

// A Sample is a mail and what is to be read in it.
type Sample struct {
	Name        string // words joined by hyphens, unique
	Raw         []byte
	WantSubject string
	WantText    string   // white space at the end does not count
	WantFiles   []string // names of the attachments, in their order
	WantDefects []string // codes that must be among the defects; empty: there must be none

	WantBounce, WantAutoReply, WantUnparsable, WantNoDate bool
}

// Recipient is the address that the mails of Samples are for.
const Recipient = "support@example.com"

// Samples returns one mail of each kind, for Recipient.
func Samples() []Sample { return SamplesFor(Recipient) }

// SamplesFor returns the same mails for another address.
func SamplesFor(to string) []Sample {
	var all []Sample
	for _, kind := range []func(to string) []Sample{plain, charsets, structured, machine, broken} {
		all = append(all, kind(to)...)
	}
	return all
}

// A draft collects the lines of a mail.
type draft struct {
	lines []string
}

// compose starts a mail with the fields that every mail has. Its date and id
// depend on the name alone.
func compose(name, to, subject string, fields ...string) *draft {
	sum := 0
	for _, c := range []byte(name) {
		sum = (sum*31 + int(c)) % 100_000
	}
	return &draft{append([]string{
		"Return-Path: <ada@customer.example>",
		"Received: from mx.customer.example (mx.customer.example [192.0.2.25])\r\n\tby mail.example.com with ESMTPS id " + strconv.Itoa(sum) + "\r\n\tfor <" + to + ">; " + date(sum),
		"From: Ada Lovelace <ada@customer.example>",
		"To: " + to,
		"Subject: " + subject,
		"Date: " + date(sum),
		"Message-ID: <" + name + "@customer.example>",
		"MIME-Version: 1.0",
	}, fields...)}
}

func date(n int) string {
	base := time.Date(2025, time.March, 3, 8, 0, 0, 0, time.FixedZone("", 3600))
	return base.Add(time.Duration(n) * time.Second).Format(time.RFC1123Z)
}

// body ends the header and returns the mail.
func (d *draft) body(lines ...string) []byte {
	return []byte(strings.Join(d.lines, "\r\n") + "\r\n\r\n" + strings.Join(lines, "\r\n") + "\r\n")
}

// without drops a field that compose has written.
func (d *draft) without(name string) *draft {
	kept := d.lines[:0:0]
	for _, line := range d.lines {
		if !strings.HasPrefix(line, name+":") {
			kept = append(kept, line)
		}
	}
	d.lines = kept
	return d
}
