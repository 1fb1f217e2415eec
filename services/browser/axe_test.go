//go:build full

package browser_test

import (
	_ "embed"
	"fmt"

	"github.com/chromedp/chromedp"
)

//go:embed testdata/axe.min.js
var axe string

// A violation is what axe-core finds wrong with a page.
type violation struct {
	ID     string `json:"id"`
	Impact string `json:"impact"` // minor, moderate, serious or critical
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// accessible fails the test if axe-core finds something serious on the page
// (WCAG 2.2, levels A and AA).
func (w *window) accessible() {
	w.t.Helper()
	const run = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(r => r.violations)`
	w.script("bringing axe-core", axe)
	found := ask(w, "examining the page", chromedp.Evaluate[[]violation](run, chromedp.EvalAwaitPromise))
	for _, v := range found {
		if v.Impact != "serious" && v.Impact != "critical" {
			continue
		}
		text := fmt.Sprintf("%s: %s (%s)", w.path(), v.Help, v.ID)
		for _, n := range v.Nodes {
			text += "\n  " + n.HTML + "\n  " + n.Summary
		}
		w.t.Error(text)
	}
}
