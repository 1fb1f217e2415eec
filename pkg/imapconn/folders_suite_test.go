package imapconn_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/imapconn/imaptest"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

func testFolders(t *testing.T, s *imaptest.Server, user string) {
	c, _ := open(t, s, user)
	ctx := t.Context()
	for _, name := range []string{"Trial", "Trial 2", "Übung/Eins"} {
		if err := c.CreateFolder(ctx, name); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(c.Answer(), "OK ") {
		t.Errorf("answer is %q", c.Answer())
	}
	if err := c.CreateFolder(ctx, "Trial"); imapconn.KindOf(err) != imapconn.KindFolder || !c.Alive() {
		t.Errorf("creating twice: %v", err)
	}
	all, err := c.Folders(ctx, 100)
	if err != nil || !slices.Contains(all, "INBOX") || !slices.Contains(all, "Übung/Eins") || !slices.Contains(all, "Trial 2") {
		t.Errorf("%q, %v", all, err)
	}
	if two, err := c.Folders(ctx, 2); err != nil || len(two) != 2 {
		t.Errorf("%q, %v", two, err)
	}
	named, err := c.FoldersNamed(ctx, "Trial", 100)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "folders named Trial", named, []string{"Trial", "Trial 2"})
	for range 2 {
		if err := c.Append(ctx, "Trial", imaptest.Message(1, 6000)); err != nil { // more than goes without being asked for
			t.Fatal(err)
		}
	}
	if err := c.Append(ctx, "Nowhere", imaptest.Message(1, 100)); imapconn.KindOf(err) != imapconn.KindFolder || !c.Alive() {
		t.Errorf("putting a mail nowhere: %v", err)
	}
	inbox, err := c.Examine(ctx, "Trial")
	if err != nil || inbox.Messages != 2 || !inbox.ReadOnly {
		t.Errorf("%+v, %v", inbox, err)
	}
	if inbox, err = c.Select(ctx, "INBOX"); err != nil || inbox.ReadOnly {
		t.Errorf("%+v, %v", inbox, err)
	}
	for name, want := range map[string]bool{"Trial": true, "Trial 3": false} {
		if found, err := c.HasFolder(ctx, name); err != nil || found != want {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
	if err := c.RemoveFolder(ctx, "Trial"); err != nil {
		t.Error(err)
	}
	if err := c.RemoveFolder(ctx, "INBOX"); err == nil {
		t.Error("the inbox was removed")
	}
	if found, err := c.HasFolder(ctx, "Trial"); err != nil || found {
		t.Errorf("%v, %v", found, err)
	}
}

// Whoever watches a connection being made is told of every stage, in order.
func testProgress(t *testing.T, s *imaptest.Server, user string) {
	for name, test := range map[string]struct {
		port int
		want []mailhost.Stage
	}{
		"STARTTLS": {s.Port, []mailhost.Stage{mailhost.StageConnect, mailhost.StageGreeting, mailhost.StageTLS, mailhost.StageCapabilities, mailhost.StageSignIn, mailhost.StageNamespace}},
		"TLS":      {s.TLS, []mailhost.Stage{mailhost.StageConnect, mailhost.StageTLS, mailhost.StageGreeting, mailhost.StageCapabilities, mailhost.StageSignIn, mailhost.StageNamespace}},
	} {
		target := s.Target(user)
		if target.Port = test.port; name == "TLS" {
			target.Security = "ssl-on-connect"
		}
		var began, ended []mailhost.Stage
		dial(t, target, imapconn.Options{Observe: func(p mailhost.Progress) {
			if p.Ended {
				ended = append(ended, p.Stage)
			} else {
				began = append(began, p.Stage)
			}
			if p.Stage == mailhost.StageTLS && p.Ended && (p.TLS == nil || len(p.TLS.PeerCertificates) == 0) {
				t.Errorf("%s: %+v", name, p)
			}
		}})
		equal(t, name+" began", began, test.want)
		equal(t, name+" ended", ended, test.want)
	}
}
