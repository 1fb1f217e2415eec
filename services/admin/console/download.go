package console

import (
	"mime"
	"strconv"
	"strings"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// framed answers with a document for a frame of our own pages: HTML of a mail,
// which was sanitised before. Whatever is in it runs nothing, sends nothing and
// loads nothing from elsewhere, and it belongs to no origin. The frame itself
// has the attribute sandbox, too.
func (r *request) framed(html []byte) error {
	h := r.w.Header()
	h.Set("Content-Security-Policy", framedPolicy)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "no-referrer")
	return r.send(html)
}

// download answers with a file, which a browser saves and never shows: what is
// in a mail may be active content.
func (r *request) download(f operation.File) error {
	r.started = true
	h := r.w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fileName(f.Name)}))
	h.Set("Content-Length", strconv.Itoa(len(f.Content)))
	if _, err := r.w.Write(f.Content); err != nil {
		r.console.log.Debug("sending a file to a browser", zap.String("path", r.URL.Path), zap.Error(err))
	}
	return nil
}

// fileName makes a name that every file system takes of one that a stranger
// chose.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '_' // controls, and what turns the direction of writing around
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	name = strings.Trim(clip(name, 120), ". ")
	if name == "" {
		return "file"
	}
	return name
}
