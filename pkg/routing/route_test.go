package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/schemas"
)

func TestRouteWithoutHeaderIsUnparsable(t *testing.T) {
	t.Parallel()
	want := schemas.Decision{Verdict: schemas.Invalid, Reason: schemas.ReasonUnparsable}
	if diff := cmp.Diff(want, Compile(exampleRules()).Route(message.Header{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRouteByEmptyRules(t *testing.T) {
	t.Parallel()
	d := Compile(Rules{}).Route(scan("To: support@example.test"))
	if d.Verdict != schemas.Invalid || d.Reason != schemas.ReasonNoMatchingFolder {
		t.Errorf("%+v", d)
	}
}

// "invalid" is a policy, although a folder may have that id.
func TestFolderNamedInvalidIsNoCatchAll(t *testing.T) {
	t.Parallel()
	r := Rules{Folders: []Folder{{ID: "invalid", Name: "Invalid", Addresses: []string{"a@x.test"}}}, Unmatched: "invalid"}
	if d := Compile(r).Route(scan("To: b@x.test")); d.Verdict != schemas.Invalid {
		t.Errorf("%+v", d)
	}
}

func TestAddressOfTwoFoldersNamesTheFirst(t *testing.T) {
	t.Parallel()
	r := Rules{Folders: []Folder{{ID: "one", Addresses: []string{"a@x.test"}}, {ID: "two", Addresses: []string{"A@x.test"}}}}
	if got := folders(Compile(r).Route(scan("To: a@x.test"))); !slices.Equal(got, []string{"one"}) {
		t.Errorf("clones in %v, want one", got)
	}
}

func TestRecipientsAreCutWithMatchedOnesFirst(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("To: ")
	for i := range 10_000 {
		fmt.Fprintf(&b, "u%d@client.test,\n ", i)
	}
	b.WriteString("support@example.test, sales+x@example.test")
	d := Compile(exampleRules()).Route(scan(b.String()))
	if len(d.Recipients) != 100 {
		t.Fatalf("%d recipients, want 100", len(d.Recipients))
	}
	want := []schemas.Recipient{
		{Address: "support@example.test", Header: "To", Folder: "support", Used: true},
		{Address: "sales+x@example.test", Header: "To", Folder: "sales", Used: true},
		{Address: "u0@client.test", Header: "To", Used: true},
	}
	if diff := cmp.Diff(want, d.Recipients[:3]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := folders(d); !slices.Equal(got, []string{"support", "sales"}) {
		t.Errorf("clones in %v", got)
	}
}

func TestLongAddressesAreCut(t *testing.T) {
	t.Parallel()
	tag := strings.Repeat("ü", 400)
	d := Compile(exampleRules()).Route(scan("To: support+" + tag + "@example.test"))
	if len(d.Clones) != 1 || d.Clones[0].Folder != "support" {
		t.Fatalf("clones %+v", d.Clones)
	}
	for _, got := range []string{d.Clones[0].Address, d.Recipients[0].Address} {
		if utf8.RuneCountInString(got) != 320 || !strings.HasPrefix("support+"+tag, got) {
			t.Errorf("%d characters of the address: %q", utf8.RuneCountInString(got), got)
		}
	}
}

func TestLoopMarkIsOfOneMailbox(t *testing.T) {
	t.Parallel()
	marks := map[string]bool{}
	for _, m := range [][2]string{{"a", "b"}, {"b", "a"}, {"a", "a"}, {"ab", ""}, {"", "ab"}} {
		mark := LoopMark(m[0], m[1])
		if len(mark) != 26 || mark != LoopMark(m[0], m[1]) {
			t.Errorf("mark of %v is %q", m, mark)
		}
		marks[mark] = true
	}
	if len(marks) != 5 {
		t.Errorf("%d marks of 5 mailboxes", len(marks))
	}
}

func TestMessageIDFitsRFC5322(t *testing.T) {
	t.Parallel()
	id := MessageID("acme", "desk", "01J8-x.y")
	if !strings.HasPrefix(id, "<01J8-x.y@") || !strings.HasSuffix(id, ".mailyard>") || strings.ContainsAny(id, " ()\"\\,;:") {
		t.Errorf("%q", id)
	}
}

// The order in which a mail names its recipients must not change where it goes.
func TestOrderOfRecipientsDoesNotMatter(t *testing.T) {
	t.Parallel()
	pool := []string{
		"support@example.test", "Help <help@example.test>", `"Sales, A" <SALES@example.test>`, "desk+x@example.test",
		"info@xn--bcher-kva.test", "support+vip@example.test", `"two words"@example.test`, "ann@client.test",
		`"sales@example.test" <ann@client.test>`, "support+x@example.test", "(desk@example.test) bob@client.test",
	}
	table := Compile(exampleRules())
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		chosen := slices.Clone(pool)
		random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		chosen = chosen[:1+random.IntN(len(chosen))]
		want := folders(table.Route(scan("To: " + strings.Join(chosen, ", "))))
		random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		if got := folders(table.Route(scan("To: " + strings.Join(chosen, ", ")))); !slices.Equal(got, want) {
			t.Fatalf("To: %s: folders %v, in another order %v", strings.Join(chosen, ", "), got, want)
		}
	}
}

func TestRouteIsLinear(t *testing.T) {
	t.Parallel()
	table := Compile(exampleRules())
	for _, part := range []string{`"`, "(", "<", "@", "a@b ", "=?a?q?", "a@b,", "(\"", "by with (", "ü@ü.test,"} {
		value := strings.Repeat(part, 50_000)
		h := message.Header{Fields: []message.Field{
			{Name: "Received", Value: value}, {Name: "Received", Value: "by a with LMTP " + value},
			{Name: "To", Value: value}, {Name: "Message-ID", Value: value},
		}}
		start := time.Now()
		table.Route(h)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q repeated took %v", part, took)
		}
	}
}

func folders(d schemas.Decision) []string {
	var ids []string
	for _, c := range d.Clones {
		ids = append(ids, c.Folder)
	}
	return ids
}

func FuzzRoute(f *testing.F) {
	for _, c := range readCases(f) {
		f.Add(c.mail)
	}
	known := map[string]int{}
	for i, folder := range exampleRules().Folders {
		known[folder.ID] = i
	}
	var tables []*Table
	for _, recipients := range []string{"auto", "headers", "envelope"} {
		r := exampleRules()
		r.Recipients, r.Unmatched = recipients, "rest"
		tables = append(tables, Compile(r))
	}
	f.Fuzz(func(t *testing.T, mail string) {
		h, _, _ := message.ScanHeader([]byte(mail))
		for _, table := range tables {
			d := table.Route(h)
			checkDecision(t, d, known)
			for _, fl := range h.Fields {
				fl.Name, fl.Value = "To", quoteAlways(fl.Value)+" <nobody@client.test>"
				hidden := table.Route(message.Header{Fields: []message.Field{fl}})
				if len(hidden.Clones) != 1 || hidden.Clones[0].Rule != schemas.RuleCatchAll {
					t.Fatalf("display name of %q matched: %+v", fl.Value, hidden.Clones)
				}
			}
		}
	})
}

func quoteAlways(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func checkDecision(t *testing.T, d schemas.Decision, known map[string]int) {
	t.Helper()
	if (d.Verdict == schemas.Accepted) != (len(d.Clones) > 0) || (d.Verdict == schemas.Invalid) != (d.Reason != "") {
		t.Fatalf("verdict %q, reason %q, %d clones", d.Verdict, d.Reason, len(d.Clones))
	}
	last := -1
	for _, c := range d.Clones {
		i, ok := known[c.Folder]
		if !ok || i <= last {
			t.Fatalf("clones %+v are not distinct folders of the table in their order", d.Clones)
		}
		last = i
		if (c.Rule == schemas.RuleCatchAll) != (c.Address == "" && c.Header == "") {
			t.Fatalf("clone %+v", c)
		}
		if !utf8.ValidString(c.Address + c.Header) {
			t.Fatalf("clone %+v is not UTF-8", c)
		}
	}
	if len(d.Recipients) > 100 {
		t.Fatalf("%d recipients", len(d.Recipients))
	}
	seen := map[[2]string]bool{}
	for _, r := range d.Recipients {
		id := [2]string{r.Header, r.Address}
		whole := utf8.RuneCountInString(r.Address) < maxAddress
		if seen[id] && whole || !utf8.ValidString(r.Address+r.Header) {
			t.Fatalf("recipient %+v twice or not UTF-8", r)
		}
		if utf8.RuneCountInString(r.Address) > maxAddress {
			t.Fatalf("%+v is too long", r)
		}
		seen[id] = true
	}
}

func BenchmarkRoute(b *testing.B) {
	h := scan(`Return-Path: <ann@client.test>
X-Original-To: support@example.test
Delivered-To: desk@example.test
Received: from mx.client.test (mx.client.test [192.0.2.7]) by mail.example.test (Postfix) with ESMTPS id 3 for <support@example.test>; Mon, 1 Jun 2026 10:00:00 +0000
Received: from [10.0.0.1] by mx.client.test with ESMTPSA id 1; Mon, 1 Jun 2026 10:00:00 +0000
DKIM-Signature: v=1; a=rsa-sha256; d=client.test; s=x; h=from:to; bh=abc; b=def
Authentication-Results: mail.example.test; dkim=pass
Message-ID: <abc@client.test>
Date: Mon, 1 Jun 2026 10:00:00 +0000
MIME-Version: 1.0
User-Agent: test
Subject: A question
From: "Ann Client" <ann@client.test>
To: "Example Support" <support@example.test>
Cc: Bob <bob@client.test>, Sales <sales@example.test>
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit`)
	table := Compile(exampleRules())
	b.ReportAllocs()
	for b.Loop() {
		table.Route(h)
	}
}
