package classifier

import (
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/routing"
	"github.com/mailyard/mailyard/schemas"
)

// A test mail of an examination is known by its token, whichever mailbox it comes
// to. A header field that anybody may write makes no mail invalid.
func TestTestMailGoesToNoFolder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.run()
	announced, forged := strings.Repeat("a", 26), strings.Repeat("b", 26)
	if err := r.Conn.AnnounceProbe(t.Context(), announced); err != nil {
		t.Fatal(err)
	}
	for i, token := range []string{announced, forged, "*", ""} {
		r.publish(fetched("info", uint32(i+1), "", []byte("To: support@example.com\r\n"+routing.ProbeHeader+": "+token+"\r\n\r\nhello")))
	}
	r.publish(fetched("info", 5, schemas.ReasonOversize, []byte("To: support@example.com\r\n"+routing.ProbeHeader+": "+forged+"\r\n\r\nhello")))
	r.Eventually("all are classified", func() bool { return r.classified.Len() == 5 && r.Left(schemas.StreamFetchedLight) == 0 })
	want := map[uint32]schemas.Reason{1: schemas.ReasonLoop, 5: schemas.ReasonOversize}
	for _, e := range r.classified.All() {
		d := e.Data.Decision
		if d.Reason != want[e.UID] || (d.Verdict == schemas.Accepted) != (d.Reason == "") || (len(d.Clones) == 1) != (d.Reason == "") {
			t.Errorf("UID %d: %+v", e.UID, d)
		}
	}
}
