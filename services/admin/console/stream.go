package console

import (
	"bytes"
	"net/http"
	"time"
)

// fragmentEnd separates the fragments of a stream: RS, as in RFC 7464. It never
// stands in HTML.
const fragmentEnd = '\x1e'

// streamStall is how long a browser may take to accept a fragment.
const streamStall = 30 * time.Second

// A stream sends parts of a page as they become known. app.js puts each one into
// the element that the form's data-stream names: in the place of the element
// with the same id, or at the end. It is used by one goroutine at a time; the
// request's context ends when the browser goes away or cancels.
type stream struct {
	r  *request
	rc *http.ResponseController
}

// stream begins the answer.
func (r *request) stream() *stream {
	r.started = true
	r.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	r.w.Header().Set("X-Accel-Buffering", "no") // nginx would collect it
	s := &stream{r: r, rc: http.NewResponseController(r.w)}
	s.flush()
	return s
}

// send renders a template and sends it at once. It fails when the browser is gone.
func (s *stream) send(name string, data any) error {
	html, err := s.r.execute(name, data)
	if err != nil {
		return err
	}
	html = bytes.ReplaceAll(html, []byte{fragmentEnd}, []byte{' '})
	s.extend()
	if _, err := s.r.w.Write(append(html, fragmentEnd)); err != nil {
		return err
	}
	s.flush()
	return nil
}

// fail ends a stream with an error, as a toast.
func (s *stream) fail(err error) error {
	s.r.fail(err) // logs it
	return s.send("toast-into", toast{Tone: toneBad, Text: sentence(problemOf(err).Error())})
}

func (s *stream) extend() {
	_ = s.rc.SetWriteDeadline(time.Now().Add(streamStall)) // a writer of tests has no deadline
}

func (s *stream) flush() {
	s.extend()
	_ = s.rc.Flush() // what cannot flush sends at the end
}
