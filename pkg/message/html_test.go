package message

import "testing"

func TestTextOfHTML(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		"plain":                                 "plain",
		"<p>a</p><p>b</p>":                      "a\n\nb",
		"<div>a</div><div>b</div>":              "a\nb",
		"a<br>b<br/>c":                          "a\nb\nc",
		"  a \n\t b  <b>c</b>d":                 "a b cd",
		"a&nbsp;&amp;&#8364;":                   "a &€",
		"<pre>a\n  b</pre>c":                    "a\n  b\nc",
		"<table><tr><td>a<td>b<tr><td>c":        "a b\nc",
		"<ul><li>a</li><li>b</li></ul>c":        "- a\n- b\n\nc",
		"<style>x</style><script>y</script>z":   "z",
		"<script>while (1 < 2) '</p>'":          "",
		"<!-- a --><!--[if mso]>b<![endif]-->c": "c",
		`<img alt="logo" src=x>a`:               "logoa",
		"<p>open <b>tags":                       "open tags",
		"a < b > c":                             "a < b > c",
		"<a href='x'>link</a>":                  "link",
		"":                                      "",
	} {
		if got, _ := textOf(document, 1000); got != want {
			t.Errorf("%s: %q; want %q", document, got, want)
		}
	}
}
