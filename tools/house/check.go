package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// maxLines is the most lines that a Go file may have.
const maxLines = 500

// unfinished is spelled so that this file does not match. What follows a dot is
// a name in Go.
var unfinished = regexp.MustCompile(`(?:^|[^.\w])(TO` + `DO|FIX` + `ME)\b`)

// A rule forbids calls and uses of package.Name.
type rule struct {
	names []string
	// allowed says where it may be used all the same.
	allowed func(f file) bool
	why     string
}

// A file is what a rule may look at.
type file struct {
	path string
	main bool // package main
}

func (f file) test() bool { return strings.HasSuffix(f.path, "_test.go") }

func nowhere(file) bool { return false }

var rules = []rule{
	{[]string{"os.Exit", "signal.Notify", "signal.NotifyContext", "log.Fatal", "log.Fatalf", "log.Fatalln", "log.Panic", "log.Panicf", "log.Panicln"},
		func(f file) bool { return f.main || strings.HasPrefix(f.path, "pkg/process/") },
		"only main and package process end the program or handle signals"},
	{[]string{"fmt.Print", "fmt.Printf", "fmt.Println"},
		func(f file) bool { return f.main || f.test() },
		"a package does not print"},
	{[]string{"context.TODO"}, nowhere, "take the ctx of the caller"},
	{[]string{"zap.L", "zap.S", "zap.ReplaceGlobals"}, nowhere, "the logger is injected"},
	{[]string{"time.Sleep"}, func(f file) bool { return !f.test() }, "a test waits for the event, or for a condition with a deadline"},
	{[]string{"t.Skip", "t.Skipf", "t.SkipNow", "b.Skip", "b.Skipf", "b.SkipNow", "f.Skip", "f.Skipf", "f.SkipNow", "tb.Skip", "tb.Skipf", "tb.SkipNow"},
		nowhere, "a test that lacks something fails and says what"},
}

// check returns what breaks a rule in a tree of files.
func check(tree fs.FS) ([]string, error) {
	var findings []string
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			// bin and data are at the top only; a package may have these names.
			if p != "." && (name == ".git" || name == "node_modules" || name == "testdata" || p == "bin" || p == "data") {
				return fs.SkipDir
			}
			return nil
		}
		if !text(p) {
			return nil
		}
		b, err := fs.ReadFile(tree, p)
		if err != nil {
			return err
		}
		for i, line := range bytes.Split(b, []byte("\n")) {
			if m := unfinished.FindSubmatch(line); m != nil {
				findings = append(findings, fmt.Sprintf("%s:%d: %s: finish it, or open an issue", p, i+1, m[1]))
			}
		}
		if path.Ext(p) != ".go" {
			return nil
		}
		found, err := checkGo(p, b)
		findings = append(findings, found...)
		return err
	})
	return findings, err
}

func text(p string) bool {
	switch path.Ext(p) {
	case ".go", ".sh", ".sql", ".lua", ".yaml", ".yml", ".json", ".md", ".js", ".css", ".html":
		return true
	}
	base := path.Base(p)
	return base == "Makefile" || base == "Dockerfile" || p == ".ci/run"
}

func checkGo(p string, b []byte) ([]string, error) {
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, p, b, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, err
	}
	var findings []string
	find := func(pos token.Pos, what, why string) {
		findings = append(findings, fmt.Sprintf("%s:%d: %s: %s", p, fset.Position(pos).Line, what, why))
	}
	if n := bytes.Count(b, []byte("\n")); n > maxLines && !ast.IsGenerated(tree) {
		find(tree.Package, fmt.Sprintf("%d lines", n), fmt.Sprintf("a file has one concern and at most %d lines", maxLines))
	}
	f := file{path: p, main: tree.Name.Name == "main"}
	ast.Inspect(tree, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				find(n.Pos(), "func init", "nothing happens on import")
			}
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				return true
			}
			used := x.Name + "." + n.Sel.Name
			for _, r := range rules {
				for _, name := range r.names {
					if name == used && !r.allowed(f) {
						find(n.Pos(), used, r.why)
					}
				}
			}
		}
		return true
	})
	return findings, nil
}
