package e2e_test

import (
	"strings"
	"time"

	"github.com/mailyard/mailyard/pkg/doctor"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// endless is the end of a certificate that outlives the test.
var endless time.Time

// A mailbox is examined while the pipeline works on it, and an address of its
// folders comes to another mailbox. The mails that the examination sends are
// accounted for as every mail is, and none comes to an agent.
func playDoctor(sc *scene) {
	accounts := map[string]string{}
	relay := newRelay(sc, accounts)
	desk := sc.box(func(d *config.Mailbox) { d.SMTP = relay.server })
	sales := sc.box(func(d *config.Mailbox) { d.Name, d.Folders = "Sales", []string{"sales"} })
	accounts[sc.address("support")], accounts[sc.address("billing")], accounts[sc.address("sales")] = desk.user, desk.user, sales.user
	for _, b := range sc.boxes {
		b.awaitStatus(schemas.StatusLive)
	}

	var report doctor.Report
	sc.site.doors.ask(sc, "POST", "/tenants/"+sc.name+"/mailboxes/"+desk.doc.ID+"/test", nil, &report)
	steps := map[string]doctor.Step{}
	for _, s := range report.Steps {
		steps[s.ID] = s
	}
	if s := steps[doctor.StepSend]; s.Outcome != doctor.OK {
		sc.Errorf("sending to itself: %+v", s)
	}
	if s := steps[doctor.StepAddresses]; s.Outcome != doctor.Warning || !strings.Contains(s.Remedy, "Mail to "+sc.address("sales")+" comes to the mailbox Sales.") || !strings.HasPrefix(s.Answer, "2 arrived, 1 did not") {
		sc.Errorf("the addresses: %+v", s)
	}

	// The other mailbox has it as it has any mail; the examined one is as it was.
	await(sc, "the mail to the other mailbox is stored", func() string { return unless(len(sales.rows()) > 0, "it is not") })
	for _, m := range sales.rows() {
		sales.mails[strings.Trim(m.MessageID, "<>")] = outcome{reason: schemas.ReasonLoop}
	}
	await(sc, "what the pipeline saw before it was deleted is recorded as gone", func() string {
		for _, m := range desk.rows() {
			if m.DisposedAt == nil {
				return m.MailID + " is not"
			}
		}
		return ""
	})
	desk.awaitEnd(patience)
	desk.checkState()
	for _, m := range desk.rows() {
		if m.Verdict != schemas.Invalid || m.Reason != schemas.ReasonLoop || len(m.Folders) != 0 || !strings.HasPrefix(m.MessageID, "doctor.") {
			sc.Errorf("a row of the examined mailbox is %+v", m)
		}
	}
	desk.checkServer()
	sc.boxes = []*box{sales}
	sc.checkAll(patience)
}
