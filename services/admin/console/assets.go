package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

//go:embed assets
var assetFiles embed.FS

//go:embed templates
var templateFiles embed.FS

// An asset is a file that pages refer to.
type asset struct {
	contentType string
	content     []byte
}

// assets are served under names that bear the hash of their content, so that
// browsers keep them for good and never use an old one.
type assets struct {
	byName map[string]string // "app.css" to "/assets/app.0123456789abcdef.css"
	byPath map[string]asset
}

func loadAssets() (assets, error) {
	a := assets{byName: map[string]string{}, byPath: map[string]asset{}}
	entries, err := fs.ReadDir(assetFiles, "assets")
	if err != nil {
		return a, fmt.Errorf("reading assets: %w", err)
	}
	for _, e := range entries {
		content, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			return a, fmt.Errorf("reading asset %s: %w", e.Name(), err)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(e.Name())
		p := "/assets/" + strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:8]) + ext
		a.byName[e.Name()] = p
		a.byPath[p] = asset{contentType(ext), content}
	}
	return a, nil
}

// contentType does not depend on what the machine has installed.
func contentType(ext string) string {
	switch ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return mime.TypeByExtension(ext)
}

// url returns the path of an asset.
func (a assets) url(name string) (string, error) {
	p, ok := a.byName[name]
	if !ok {
		return "", fmt.Errorf("there is no asset %q", name)
	}
	return p, nil
}

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	file, ok := a.byPath[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.contentType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Length", fmt.Sprint(len(file.content)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(file.content) // a browser that went away
}
