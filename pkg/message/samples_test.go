package message_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/pkg/message/messagetest"
)

func TestEverySampleIsReadAsItWasMeant(t *testing.T) {
	t.Parallel()
	for _, s := range messagetest.Samples() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			m := message.Parse(s.Raw, message.DefaultLimits())
			var files, defects []string
			for _, a := range m.Attachments {
				files = append(files, a.Filename)
			}
			for _, d := range m.Defects {
				defects = append(defects, d.Code)
			}
			got := messagetest.Sample{Name: s.Name, WantSubject: m.Subject, WantText: strings.TrimRight(m.Text, " \n"), WantFiles: files, WantDefects: s.WantDefects,
				WantBounce: m.Bounce, WantAutoReply: m.AutoReply, WantUnparsable: m.Unparsable, WantNoDate: m.Date.IsZero()}
			s.Raw = nil
			s.WantText = strings.TrimRight(s.WantText, " \n")
			if diff := cmp.Diff(s, got); diff != "" {
				t.Errorf("read wrongly (-want +got):\n%s", diff)
			}
			for _, code := range s.WantDefects {
				if !slices.Contains(defects, code) {
					t.Errorf("defect %s is not listed; listed: %+v", code, m.Defects)
				}
			}
			if len(s.WantDefects) == 0 && len(defects) > 0 {
				t.Errorf("defects in a sound mail: %+v", m.Defects)
			}
			checkStrings(t, m)
		})
	}
}

// checkStrings fails unless all text of the message can be stored anywhere.
func checkStrings(t *testing.T, m *message.Message) {
	t.Helper()
	all := []string{m.MessageID, m.InReplyTo, m.Subject, m.Text, m.HTML, m.AutoSubmitted}
	all = append(append(all, m.References...), m.AuthResults...)
	for _, f := range m.Header.Fields {
		all = append(all, f.Name, f.Value)
	}
	for _, a := range slices.Concat(m.From, m.Sender, m.ReplyTo, m.To, m.Cc, m.Bcc) {
		all = append(all, a.Name, a.Local, a.Domain)
	}
	for _, a := range m.Attachments {
		all = append(all, a.Filename, a.ContentType, a.ContentID, a.Part)
	}
	for _, d := range m.Defects {
		all = append(all, d.Code, d.Detail, d.Part)
	}
	if m.DSN != nil {
		all = append(all, m.DSN.Action, m.DSN.Status, m.DSN.FinalRecipient, m.DSN.Diagnostic, m.DSN.OriginalMessageID)
	}
	for _, s := range all {
		if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
			t.Fatalf("not valid UTF-8 without NUL: %q", s)
		}
	}
}
