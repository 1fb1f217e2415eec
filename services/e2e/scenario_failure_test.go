package e2e_test

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/mailyard/mailyard/pkg/message"
	"github.com/mailyard/mailyard/pkg/message/messagetest"
	"github.com/mailyard/mailyard/pkg/routing"
	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
	"github.com/mailyard/mailyard/schemas/config"
)

// failures are what goes wrong on our side, and mail that is made to go wrong.
func failures() []scenario {
	return []scenario{
		{name: "killed", play: playKilled, ownSite: true, can: func(tp topology, _ mailServerKind) bool { return tp.separate }},
		{name: "nats-wiped", play: playNATSWiped, ownSite: true},
		{name: "redis-flushed", play: playRedisFlushed, ownSite: true},
		{name: "store-away", play: playStoreAway, ownSite: true},
		{name: "two-fetchers", play: playTwoFetchers, ownSite: true},
		{name: "poison", play: playPoison},
	}
}

// redelivered is how long the longest ack wait lets a mail wait that a killed
// service had in hand.
const redelivered = 150 * time.Second

// Each service is killed in turn while 2000 mails are drained.
func playKilled(sc *scene) {
	b := sc.box(func(d *config.Mailbox) { d.ConnectRetries = 100 })
	b.light(1000, "support", "sales")
	for range 10 {
		b.large(300_000, "billing")
	}
	b.light(990, "sales")
	for n, service := range []string{"fetcher", "classifier", "persister", "disposer", "admin"} {
		b.awaitRows(100 + 300*n)
		sc.site.kill(sc, service)()
	}
	sc.checkAll(redelivered)
}

// All that NATS holds is lost in the middle.
func playNATSWiped(sc *scene) {
	b := sc.box()
	b.light(500, "support")
	b.large(400_000, "sales")
	b.awaitRows(100)
	// Mail leaves the inbox, and that it did cannot be recorded before it is lost.
	resume := sc.site.stopStore(sc)
	await(sc, "what is stored has left the inbox", func() string {
		n := sc.site.waiting(sc, schemas.StreamDispose, "mail.v1.dispose.*."+sc.name+".*")
		return unless(n == 0, "%d orders wait", n)
	})
	sc.eventsLost = true
	sc.site.wipeNATS(sc)
	resume()
	b.light(50, "billing")
	b.awaitEnd(patience)
	// Of some it is not recorded that they are gone. That is asked for again when
	// it is overdue, which is now.
	sc.eventsLost = false
	sc.site.makeOverdue(sc)
	sc.checkAll(patience)
}

// All that Redis holds is lost in the middle.
func playRedisFlushed(sc *scene) {
	b := sc.box()
	b.light(500, "support")
	b.large(400_000, "sales")
	for n := range 3 {
		b.awaitRows(50 + 100*n)
		sc.site.flushRedis(sc)
	}
	b.light(50, "billing")
	sc.checkAll(patience)
}

// The messaging database is away for a while.
func playStoreAway(sc *scene) {
	b := sc.box()
	b.light(300, "support")
	b.awaitRows(20)
	resume := sc.site.stopStore(sc)
	b.light(100, "sales")
	b.large(400_000, "billing")
	await(sc, "the mail waits in the streams", func() string {
		n := sc.site.queued(sc, sc.name)
		return unless(n >= 101, "%d messages do", n)
	})
	resume()
	sc.checkAll(patience)
}

// Two fetchers share the mailboxes, and no mail is fetched by both.
func playTwoFetchers(sc *scene) {
	var mu sync.Mutex
	fetched := map[string]int{}
	sub, err := sc.site.bus.NATS().Subscribe("mail.v1.fetched.*."+sc.name+".*", func(m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		fetched[m.Subject[strings.LastIndex(m.Subject, ".")+1:]+" "+cloudevents.Attribute(m.Header, "subject")]++
	})
	check(sc, err)
	check(sc, sub.SetPendingLimits(-1, -1))
	defer sub.Unsubscribe()

	for range usersPerScenario {
		sc.box().light(5, "support")
	}
	sc.boxes[0].awaitRows(1)
	stop := sc.site.addFetcher(sc)
	for _, b := range sc.boxes {
		b.light(5, "sales")
	}
	await(sc, "two replicas share the mailboxes", func() string {
		share := map[string]int{}
		for _, b := range sc.boxes {
			share[b.state().Replica]++
		}
		for _, n := range share {
			if n < len(sc.boxes)/8 {
				return fmt.Sprint("they serve ", share)
			}
		}
		return unless(len(share) == 2, "they serve %v", share)
	})
	for _, b := range sc.boxes {
		b.light(5, "billing")
	}
	for _, b := range sc.boxes {
		b.awaitEnd(patience)
	}
	stop()
	for _, b := range sc.boxes {
		b.light(5, "support")
	}
	sc.checkAll(patience)
	check(sc, sc.site.bus.NATS().FlushTimeout(patience))
	mu.Lock()
	defer mu.Unlock()
	if want := 20 * len(sc.boxes); len(fetched) != want {
		sc.Errorf("%d mails were fetched; want %d", len(fetched), want)
	}
	for mail, n := range fetched {
		if n != 1 {
			sc.Errorf("mail %s was fetched %d times", mail, n)
		}
	}
}

// Mails made to break programs, between ordinary ones, delay nobody.
func playPoison(sc *scene) {
	b := sc.box()
	rules := routing.Rules{Tenant: sc.name, Mailbox: b.doc.ID, Login: b.user, Unmatched: b.doc.Unmatched, Recipients: b.doc.Recipients, Plus: true}
	for _, id := range b.doc.Folders {
		rules.Folders = append(rules.Folders, routing.Folder{ID: id, Name: id, Addresses: []string{sc.address(id)}})
	}
	table := routing.Compile(rules)
	to := sc.address("support")
	poison := [][]byte{
		messagetest.PartHeader(to, 2<<20), messagetest.Continuations(to, 20_000),
	}
	for _, s := range messagetest.SamplesFor(to) {
		poison = append(poison, s.Raw)
	}
	for _, raw := range poison {
		h, _, _ := message.ScanHeader(raw)
		d := table.Route(h)
		o := outcome{reason: d.Reason}
		for _, c := range d.Clones {
			o.folders = append(o.folders, c.Folder)
		}
		b.deliver(raw, o)
		b.light(1, "sales")
	}
	sc.checkAll(patience)
}
