package e2e_test

import (
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/config"
)

// flowScenarios are what happens to mail when nothing goes wrong.
func flowScenarios() []scenario {
	return []scenario{
		{name: "lanes", play: playLanes},
		{name: "clones", play: playClones},
		{name: "no-match", play: playNoMatch},
		{name: "policies", play: playPolicies},
		{name: "arriving", play: playArriving},
		{name: "import-new", play: playImportNew},
		{name: "import-date", play: playImportDate},
	}
}

// Light and large mails go their ways in parallel.
func playLanes(sc *scene) {
	b := sc.box()
	for n := range 6 {
		b.light(8, "support")
		b.large([]int{20_000, 200_000, 300_000, 1_500_000, 11_000, 700_000}[n], "sales")
	}
	sc.checkAll(patience)
}

// A mail for two or three folders has an item in each, and is one mail.
func playClones(sc *scene) {
	b := sc.box()
	b.light(5, "support", "sales")
	b.light(5, "sales", "billing", "support")
	b.large(400_000, "billing", "sales")
	both := "Cc: " + sc.address("sales") + ", Someone <Support+x@" + sc.name + ".EXAMPLE>"
	b.deliver(newMail(b.next(), 1000, b.to("support"), both), outcome{folders: []string{"sales", "support"}, lane: schemas.Light})
	envelope := []byte("Delivered-To: " + sc.address("billing") + "\r\n")
	b.deliver(append(envelope, newMail(b.next(), 1000, b.to("support"))...), outcome{folders: []string{"billing"}, lane: schemas.Light})
	sc.checkAll(patience)
}

// Mail that no folder matches is invalid, or goes to the catch-all.
func playNoMatch(sc *scene) {
	strict, lenient := sc.box(), sc.box(func(d *config.Mailbox) { d.Unmatched = "billing" })
	for range 5 {
		strict.deliver(newMail(strict.next(), 1500, "To: nobody@"+sc.name+".example"), outcome{reason: schemas.ReasonNoMatchingFolder, lane: schemas.Light})
		lenient.deliver(newMail(lenient.next(), 1500, "To: nobody@"+sc.name+".example"), outcome{folders: []string{"billing"}, lane: schemas.Light})
	}
	strict.deliver(newMail(strict.next(), 30_000, "To: nobody@"+sc.name+".example"), outcome{reason: schemas.ReasonNoMatchingFolder, lane: schemas.Large})
	strict.light(5, "support")
	lenient.light(5, "support")
	sc.checkAll(patience)
}

// Both verdicts can be moved and deleted.
func playPolicies(sc *scene) {
	for _, methods := range [][2]config.Method{
		{config.MethodMove, config.MethodMove}, {config.MethodMove, config.MethodDelete},
		{config.MethodDelete, config.MethodMove}, {config.MethodDelete, config.MethodDelete},
	} {
		b := sc.box(func(d *config.Mailbox) { d.PersistedMethod, d.InvalidMethod = methods[0], methods[1] })
		b.light(10, "support")
		for range 10 {
			b.deliver(newMail(b.next(), 1500, "To: nobody@"+sc.name+".example"), outcome{reason: schemas.ReasonNoMatchingFolder, lane: schemas.Light})
		}
	}
	sc.checkAll(patience)
}

// Mail arrives while earlier mail is being drained.
func playArriving(sc *scene) {
	b := sc.box()
	b.light(100, "support")
	for n := range 5 {
		b.awaitRows(20*n + 20)
		b.light(20, "sales")
		b.large(50_000, "billing")
	}
	sc.checkAll(patience)
}
