package console

import (
	"io/fs"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		sizeText(0):                        "0 bytes",
		sizeText(1):                        "1 byte",
		sizeText(999):                      "999 bytes",
		sizeText(6_000_000):                "6 MB (6,000,000 bytes)",
		shortSize(999_999):                 "1 MB",
		shortSize(1_240_000):               "1.24 MB",
		shortSize(math.MaxInt64):           "9223372 TB",
		countText(int64(-1_234_567)):       "-1,234,567",
		countText(math.MinInt64):           "-9,223,372,036,854,775,808",
		durationText(0):                    "0 s",
		durationText(time.Microsecond):     "1 ms",
		durationText(1500 * 1e6):           "1.5 s",
		durationText(89 * time.Second):     "89 s",
		durationText(90 * time.Second):     "1 min",
		durationText(26 * time.Hour):       "26 h",
		durationText(49 * time.Hour):       "2 d",
		agoText(-time.Hour):                "in 60 min",
		agoText(time.Second):               "now",
		agoText(3 * time.Minute):           "3 min ago",
		plural(1, "mail", "mails"):         "1 mail",
		plural(0, "mail", "mails"):         "0 mails",
		sentence("it is away"):             "It is away.",
		sentence("Done."):                  "Done.",
		sentence(""):                       "",
		sentence("ä"):                      "ä.",
		clip("äöü", 2):                     "ä…",
		clip("a\xff", 5):                   "a\uFFFD",
		absolute(time.Unix(0, 0)):          "1970-01-01 00:00:00 UTC",
		absolute(time.Time{}):              "never",
		joinPath("t", "a/b", "..", "ä?#"):  "/t/a%2Fb/../%C3%A4%3F%23",
		elementID("field", "imap.port[1]"): "field-imap-port-1-",
		withQuery("/x", nil, "a", "1"):     "/x?a=1",
		withQuery("/x", map[string][]string{"a": {"1"}, "b": {"2", "3"}}, "a", ""): "/x?b=2&b=3",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSortableColumns(t *testing.T) {
	t.Parallel()
	c := sortable("/x", map[string][]string{"sort": {"name"}, "cursor": {"c"}, "q": {"y"}}, "name", "Name", "name")
	if c.Sorted != "ascending" || c.Path != "/x?q=y&sort=-name" {
		t.Errorf("the sorted column is %+v", c)
	}
	c = sortable("/x", nil, "size", "Size", "-size")
	if c.Sorted != "descending" || c.Path != "/x?sort=size" {
		t.Errorf("the standard column is %+v", c)
	}
}

func TestPlots(t *testing.T) {
	t.Parallel()
	times := make([]time.Time, 5)
	for i := range times {
		times[i] = time.Date(2026, 1, 1, i, 0, 0, 0, time.UTC)
	}
	nan := math.NaN()
	for name, p := range map[string]plot{
		"nothing":      {Title: "Mail"},
		"no values":    {Title: "Mail", Times: times, Series: []series{{Name: "a"}}},
		"only zeroes":  {Title: "Mail", Times: times, Series: []series{{Name: "a", Values: []float64{0, 0, 0, 0, 0}}}},
		"gaps":         {Title: "Mail", Times: times, Series: []series{{Name: "a", Values: []float64{nan, 1, nan, 3, 4}}}},
		"bars":         {Title: "Mail", Bars: true, Times: times, Series: []series{{Name: "a", Values: []float64{1, 2, 3, nan, 5}}, {Name: "b", Values: []float64{5, 1e9}}}},
		"one point":    {Title: "Mail", Times: times[:1], Series: []series{{Name: "a", Values: []float64{7}}}},
		"small values": {Title: "Latency", Times: times, Format: func(v float64) string { return durationText(time.Duration(v * 1e9)) }, Series: []series{{Name: "a", Values: []float64{0.001, 0.002, 0.0015, 0, 0}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &request{console: newSite(t).console}
			html, err := r.execute("plot", p)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(html), "NaN") || strings.Contains(string(html), "Inf") {
				t.Errorf("the plot is %s", html)
			}
			if len(p.Rows()) > 6 || len(p.Marks()) > 6 {
				t.Errorf("it has %d rows and %d marks", len(p.Rows()), len(p.Marks()))
			}
			for _, s := range p.Shapes() {
				for _, y := range regexp.MustCompile(`[ V](-?[0-9.]+)`).FindAllStringSubmatch(s.Path, -1) {
					if v := y[1]; strings.HasPrefix(v, "-") || len(v) > 3 && v > plotBottomText {
						t.Errorf("%s leaves the plane: %s", s.Path, v)
					}
				}
			}
		})
	}
}

const plotBottomText = "200"

// Every icon that is named is drawn.
func TestIconsExist(t *testing.T) {
	t.Parallel()
	sprite, err := fs.ReadFile(assetFiles, "assets/icons.svg")
	if err != nil {
		t.Fatal(err)
	}
	drawn := map[string]bool{}
	for _, m := range regexp.MustCompile(`<symbol id="([^"]+)"`).FindAllStringSubmatch(string(sprite), -1) {
		drawn[m[1]] = true
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		raw, err := fs.ReadFile(templateFiles, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`icon "([^"]+)"`).FindAllStringSubmatch(string(raw), -1) {
			if !drawn[m[1]] {
				t.Errorf("%s: there is no icon %q", name, m[1])
			}
		}
	}
	for _, tone := range []tone{toneOK, toneBusy, toneWarn, toneBad, toneOff, toneInfo} {
		if !drawn[tone.Icon()] {
			t.Errorf("tone %s has no icon", tone)
		}
	}
}
