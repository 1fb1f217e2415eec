package messagetest

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// Light returns the n-th of a row of small mails of about 1.5 KB.
func Light(n int, to string) []byte {
	name := fmt.Sprintf("light-%d", n)
	return compose(name, to, fmt.Sprintf("Question %d about an order", n), "Content-Type: text/plain; charset=utf-8").body(
		"Good morning,", "", fmt.Sprintf("this is question number %d.", n),
		strings.TrimSuffix(strings.Repeat("When will the order arrive, and can the address still be changed?\r\n", 12), "\r\n"),
		"", "Ada",
	)
}

// Large returns the n-th of a row of mails with a file of size octets attached.
func Large(n int, to string, size int) []byte {
	name := fmt.Sprintf("large-%d", n)
	d := compose(name, to, fmt.Sprintf("Scan %d", n), `Content-Type: multipart/mixed; boundary="large"`)
	return d.body(
		"--large", "Content-Type: text/plain; charset=utf-8", "", "Please find the scan attached.",
		"--large", "Content-Type: application/pdf", `Content-Disposition: attachment; filename="scan.pdf"`, "Content-Transfer-Encoding: base64", "",
		encode64(noise(size, n)), "--large--",
	)
}

// noise returns octets that do not compress and are always the same.
func noise(size, seed int) []byte {
	b := make([]byte, size)
	x := uint64(seed)*0x9E3779B97F4A7C15 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		b[i] = byte(x)
	}
	return b
}

// encode64 encodes in lines of 76 characters, without the last line's end.
func encode64(b []byte) string {
	s := base64.StdEncoding.EncodeToString(b)
	var out strings.Builder
	for len(s) > 76 {
		out.WriteString(s[:76] + "\r\n")
		s = s[76:]
	}
	return out.String() + s
}

func plain(to string) []Sample {
	many := make([]string, 10_000)
	for i := range many {
		many[i] = fmt.Sprintf("r%05d@list.example", i)
	}
	long := strings.Repeat("0123456789", 20_000)
	return []Sample{
		{Name: "light", Raw: Light(1, to), WantSubject: "Question 1 about an order",
			WantText: "Good morning,\n\nthis is question number 1.\n" + strings.Repeat("When will the order arrive, and can the address still be changed?\n", 12) + "\nAda"},
		{Name: "large", Raw: Large(1, to, 300_000), WantSubject: "Scan 1", WantText: "Please find the scan attached.", WantFiles: []string{"scan.pdf"}},
		{Name: "many-recipients", WantSubject: "To everyone", WantText: "Hello all.",
			Raw: compose("many-recipients", to, "To everyone", "Cc: "+strings.Join(many, ",\r\n ")).body("Hello all.")},
		{Name: "format-flowed", WantSubject: "Flowed", WantText: "This is one paragraph.\n\n> And this is what was\n>> said before.\nFrom here on\n-- \nAda",
			Raw: compose("format-flowed", to, "Flowed", "Content-Type: text/plain; charset=us-ascii; format=flowed").body(
				"This is one ", "paragraph.", "", "> And this ", "> is what was", ">> said before.", " From here on", "-- ", "Ada")},
		{Name: "format-flowed-delsp", WantSubject: "Flowed", WantText: "東京大阪",
			Raw: compose("format-flowed-delsp", to, "Flowed", "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes").body("東京 ", "大阪")},
		{Name: "long-lines", WantSubject: "Long", WantText: long, Raw: compose("long-lines", to, "Long").body(long)},
		{Name: "quoted-printable", WantSubject: "Grüße aus Köln", WantText: "Schöne Grüße, und noch viel mehr Text",
			Raw: compose("quoted-printable", to, "=?utf-8?q?Gr=C3=BC=C3=9Fe_aus?= =?utf-8?q?_K=C3=B6ln?=", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable").body(
				"Sch=C3=B6ne Gr=C3=BC=C3=9Fe, und noch =", "viel mehr Text")},
		{Name: "header-only", WantSubject: "Nothing inside", Raw: compose("header-only", to, "Nothing inside").body()},
	}
}
