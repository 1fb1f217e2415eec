package console

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// A tone is what a badge, a toast or a notice says before it is read. It always
// comes with an icon and a text.
type tone string

const (
	toneOK   tone = "ok"
	toneBusy tone = "busy"
	toneWarn tone = "warn"
	toneBad  tone = "bad"
	toneOff  tone = "off"
	toneInfo tone = "info"
)

// A toast is a message that goes away by itself, unless it is bad news.
type toast struct {
	Tone tone   `json:"tone"`
	Text string `json:"text"`
}

// tell adds a toast to the answer: to the page, to the part of a page, or, after
// a redirect, to the next page.
func (r *request) tell(t tone, format string, args ...any) {
	r.toasts = append(r.toasts, toast{t, sentence(fmt.Sprintf(format, args...))})
}

// flashAge is how long the next page may take to come.
const flashAge = time.Minute

// keepFlash gives the toasts to the next page, in a cookie: any replica can
// answer it. They are texts only, and escaped when they are shown.
func (r *request) keepFlash() {
	if len(r.toasts) == 0 {
		return
	}
	kept := make([]toast, 0, len(r.toasts))
	for _, t := range r.toasts[:min(len(r.toasts), 3)] {
		kept = append(kept, toast{t.Tone, clip(t.Text, 400)})
	}
	b, err := json.Marshal(kept)
	if err != nil {
		return // texts can always be encoded
	}
	r.setCookie(flashCookie, base64.RawURLEncoding.EncodeToString(b), flashAge)
}

func (r *request) takeFlash() []toast {
	value := r.cookie(flashCookie)
	if value == "" {
		return nil
	}
	r.dropCookie(flashCookie)
	b, err := base64.RawURLEncoding.DecodeString(value)
	var kept []toast
	if err != nil || json.Unmarshal(b, &kept) != nil {
		return nil // not written by us
	}
	return kept[:min(len(kept), 3)]
}

// clip shortens a text to n runes.
func clip(s string, n int) string {
	r := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(r) <= n {
		return string(r)
	}
	return string(r[:n-1]) + "…"
}

// Icon returns the icon of the tone.
func (t tone) Icon() string {
	switch t {
	case toneOK:
		return "check-circle"
	case toneBusy:
		return "refresh"
	case toneWarn:
		return "alert"
	case toneBad:
		return "x-circle"
	case toneOff:
		return "minus-circle"
	}
	return "info"
}
