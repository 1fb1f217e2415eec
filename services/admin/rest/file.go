package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/mailyard/mailyard/services/admin/operation"
)

// writeFile answers with bytes of a mail: as a download, whatever they say that
// they are. They come from anybody.
func (s *server) writeFile(ctx huma.Context, o operation.Operation, in any) {
	r, w := humago.Unwrap(ctx)
	out, err := s.run(ctx.Context(), o, in)
	if err != nil {
		s.refuse(w, r, s.problemOf(ctx.Context(), o.Name, err))
		return
	}
	f := out.(operation.File)
	h := w.Header()
	h.Set("Content-Type", downloadType(f.ContentType))
	h.Set("Content-Disposition", disposition(f.Name))
	h.Set("Content-Length", strconv.Itoa(len(f.Content)))
	h.Set("X-Download-Options", "noopen")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(f.Content) // a client that went away
}

// downloadType passes on a type that is harmless, and hides every other.
func downloadType(kind string) string {
	if kind == "message/rfc822" {
		return kind
	}
	return "application/octet-stream"
}

// disposition makes a download of an answer (RFC 6266, with RFC 8187 for names
// that are not ASCII).
func disposition(name string) string {
	name = safeName(name)
	plain := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || r == '"' || r == '\\' || r == '%' {
			return '_'
		}
		return r
	}, name)
	d := fmt.Sprintf("attachment; filename=%q", plain)
	if plain != name {
		d += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(name), "+", "%20")
	}
	return d
}

// safeName makes a name of a mail one that a file can have anywhere: no folders,
// no control characters, nothing that turns the direction of text.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`/\:*?"<>|`, r):
			return '_'
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.Trim(name, " .")
	const most = 150
	if r := []rune(name); len(r) > most {
		name = string(r[:most-20]) + string(r[len(r)-20:]) // with its extension
	}
	if name == "" {
		return "attachment"
	}
	return name
}
