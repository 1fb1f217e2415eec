package message

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFilename is in bytes: what every common file system takes, with room for a
// suffix that makes it unique.
const maxFilename = 200

// safeFilename makes a name that is a plain file name on any system: no path, no
// control characters, nothing that changes the reading direction (which makes
// "gpj.exe" look like "exe.jpg"), no device name, bounded. changed says that
// more than white space was taken away. The result may be empty.
func safeFilename(s string) (name string, changed bool) {
	given := strings.TrimSpace(s)
	if i := strings.LastIndexAny(given, `/\`); i >= 0 {
		s = given[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r == utf8.RuneError, unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return -1
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		}
		return r
	}, s)
	name = strings.TrimFunc(name, isEdge)
	if reserved(name) {
		name = "_" + name
	}
	name = shorten(name)
	return name, name != given
}

// reserved reports whether a name is that of a device on Windows, with any
// extension.
func reserved(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimSpace(stem))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	if digit, ok := strings.CutPrefix(stem, "COM"); ok || strings.HasPrefix(stem, "LPT") {
		if !ok {
			digit = stem[3:]
		}
		return utf8.RuneCountInString(digit) == 1 && strings.ContainsAny(digit, "0123456789¹²³")
	}
	return false
}

// shorten cuts a name to maxFilename and keeps its extension.
func shorten(name string) string {
	if len(name) <= maxFilename {
		return name
	}
	ext := ""
	if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 16 {
		ext = name[i:]
	}
	return strings.TrimRightFunc(clip(name, maxFilename-len(ext)), isEdge) + ext
}

// isEdge reports whether r must not be first or last in a file name.
func isEdge(r rune) bool { return r == '.' || unicode.IsSpace(r) }

// defaultFilename names a part that has no name.
func defaultFilename(part, contentType string) string {
	ext := ".bin"
	switch contentType {
	case "text/plain", "text/rfc822-headers", "message/delivery-status":
		ext = ".txt"
	case "text/html":
		ext = ".html"
	case "text/calendar":
		ext = ".ics"
	case "text/csv":
		ext = ".csv"
	case "text/vcard", "text/x-vcard":
		ext = ".vcf"
	case "message/rfc822", "message/global":
		ext = ".eml"
	case "image/jpeg", "image/jpg", "image/pjpeg":
		ext = ".jpg"
	case "image/png", "image/gif", "image/webp", "image/bmp", "image/tiff", "application/pdf", "application/zip", "application/json", "text/xml", "application/xml":
		ext = "." + contentType[strings.IndexByte(contentType, '/')+1:]
	case "image/svg+xml":
		ext = ".svg"
	case "audio/mpeg":
		ext = ".mp3"
	case "application/pkcs7-signature", "application/x-pkcs7-signature":
		ext = ".p7s"
	case "application/pkcs7-mime", "application/x-pkcs7-mime":
		ext = ".p7m"
	case "application/pgp-signature":
		ext = ".asc"
	case "application/ms-tnef", "application/vnd.ms-tnef":
		return "winmail.dat"
	}
	return "part-" + clip(part, maxFilename-16) + ext
}
