package contract_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/schemas"
	"github.com/mailyard/mailyard/schemas/cloudevents"
	"github.com/mailyard/mailyard/schemas/contract"
)

// Whatever values the Go types hold, within the documented ranges, the message
// is valid, and its rendering is the one of encoding/json.
func TestRandomEventsAreValid(t *testing.T) {
	t.Parallel()
	r := random{rand.New(rand.NewPCG(1, 2))}
	for range 50 {
		for _, event := range r.events() {
			header, payload, err := cloudevents.Encode(event)
			if err != nil {
				t.Fatalf("%T: %v", event, err)
			}
			if err := contract.Validate(header, payload); err != nil {
				t.Fatal(err)
			}
			rendered, err := cloudevents.Structured(header, payload)
			if err != nil {
				t.Fatal(err)
			}
			if direct, err := json.Marshal(event); err != nil || !equalJSON(t, rendered, direct) {
				t.Fatalf("%T: %v: rendered %q, encoding/json gives %q", event, err, rendered, direct)
			}
		}
	}
}

func TestRandomEventsAreOfEveryType(t *testing.T) {
	t.Parallel()
	r := random{rand.New(rand.NewPCG(1, 2))}
	var got []string
	for _, event := range r.events() {
		got = append(got, fmt.Sprintf("%T", event))
	}
	var want []string
	for _, info := range schemas.Events() {
		want = append(want, strings.TrimPrefix(fmt.Sprintf("%T", info.New()), "*"))
	}
	if !slices.Equal(got, want) {
		t.Errorf("events are %v, want %v", got, want)
	}
}

type random struct{ *rand.Rand }

func (r random) events() []any {
	k := schemas.MailKey{Tenant: r.slug(), Mailbox: r.slug(), UIDValidity: r.nonZero(), UID: r.nonZero()}
	at := func(eventType, contentType string) schemas.Attributes {
		a := schemas.NewAttributes(eventType, k.Source(), k.Subject(), r.text(1, 256), contentType, r.time())
		if r.coin() {
			a.TraceParent = fmt.Sprintf("00-%016x%016x-%016x-01", r.Uint64(), r.Uint64(), r.Uint64())
		}
		return a
	}
	fetched := r.mailAttributes(k)
	contentType := schemas.ContentMail
	if fetched.DataRef != "" || fetched.Reason != "" {
		contentType = schemas.ContentMailHeader
	}
	parkedUIDs := pick(r, nil, r.uids())
	parked := schemas.Parked{Tenant: k.Tenant, Mailbox: k.Mailbox, UIDValidity: r.Uint32(), UIDs: parkedUIDs, Stage: r.stage(), Error: r.text(1, 1000), Attempts: r.IntN(20), ParkedAt: r.time()}
	if r.coin() {
		parked.MailID = k.ID()
	}
	return []any{
		schemas.MailFetched{Attributes: at(schemas.TypeMailFetched, contentType), MailAttributes: fetched, Mail: r.bytes(2000)},
		r.classified(at(schemas.TypeMailClassified, schemas.ContentDecision), k),
		schemas.MailDispose{Attributes: at(schemas.TypeMailDispose, schemas.ContentJSON), Data: schemas.Dispose{
			Tenant: k.Tenant, Mailbox: k.Mailbox, UIDValidity: k.UIDValidity,
			Action: pick(r, schemas.ActionPersisted, schemas.ActionInvalid, schemas.ActionRelease), UIDs: r.uids(),
		}},
		schemas.MailPersisted{Attributes: at(schemas.TypeMailPersisted, schemas.ContentJSON), Data: schemas.Persisted{
			MailID: k.ID(), ItemID: r.text(1, 64), Tenant: k.Tenant, Mailbox: k.Mailbox, Folder: r.slug(), UIDValidity: k.UIDValidity, UID: k.UID,
			Lane: pick(r, schemas.Lanes[:]...), Size: r.Int64N(1 << 53), Bounce: r.coin(), AutoReply: r.coin(), PersistedAt: r.time(),
		}},
		schemas.MailRejected{Attributes: at(schemas.TypeMailRejected, schemas.ContentJSON), Data: schemas.Rejected{
			MailID: k.ID(), Tenant: k.Tenant, Mailbox: k.Mailbox, UIDValidity: k.UIDValidity, UID: k.UID,
			Reason: r.reason(), Size: r.Int64N(1 << 53), PersistedAt: r.time(),
		}},
		schemas.MailDisposed{Attributes: at(schemas.TypeMailDisposed, schemas.ContentJSON), Data: schemas.Disposed{
			Tenant: k.Tenant, Mailbox: k.Mailbox, UIDValidity: k.UIDValidity, UIDs: r.uids(),
			Action: pick(r, schemas.ActionPersisted, schemas.ActionInvalid), Method: pick(r, "move", "delete"), Destination: r.text(0, 512), DisposedAt: r.time(),
		}},
		r.dead(at(schemas.TypeMailDead, schemas.ContentNATS), k),
		schemas.MailParked{Attributes: at(schemas.TypeMailParked, schemas.ContentJSON), Data: parked},
		schemas.MailboxStateChanged{Attributes: at(schemas.TypeMailboxState, schemas.ContentJSON), Data: schemas.MailboxState{
			Tenant: k.Tenant, Mailbox: k.Mailbox, Status: pick(r, schemas.StatusLive, schemas.StatusAuthFailed, schemas.StatusFolderMissing),
			Detail: r.text(0, 1000), Since: r.time(), LastSuccess: r.maybeTime(), NextAttempt: r.maybeTime(),
			Waiting: r.IntN(1e6), InFlight: r.IntN(1e6), Parked: r.IntN(1e6), Revision: r.Int64N(1 << 53), Replica: r.text(0, 128), ObservedAt: r.maybeTime(),
		}},
		schemas.ConfigChanged{Attributes: at(schemas.TypeConfigChanged, schemas.ContentJSON), Data: schemas.ConfigChange{
			Kind: pick(r, schemas.KindTenant, schemas.KindFolder, schemas.KindMailbox), Tenant: k.Tenant, ID: r.slug(),
			Change: pick(r, schemas.ChangeCreated, schemas.ChangeUpdated, schemas.ChangeDeleted), Fields: pick(r, nil, []string{"name", "imap.port"}),
			FromRevision: r.Int64N(1 << 53), ToRevision: 1 + r.Int64N(1<<53-1), Actor: r.text(1, 320), ChangedAt: r.time(),
		}},
	}
}

func (r random) mailAttributes(k schemas.MailKey) schemas.MailAttributes {
	m := schemas.MailAttributes{
		Tenant: k.Tenant, Mailbox: k.Mailbox, UIDValidity: k.UIDValidity, UID: k.UID, Lane: pick(r, schemas.Lanes[:]...),
		Size: r.Int64(), SHA256: strings.Repeat(fmt.Sprintf("%016x", r.Uint64()), 4),
		InternalDate: r.time(), FetchedAt: r.time(), Generation: r.Int64(),
	}
	switch r.IntN(3) {
	case 0:
		m.Reason = schemas.ReasonOversize
	case 1:
		m.DataRef = k.ID() + "." + fmt.Sprint(m.Generation)
	}
	return m
}

func (r random) classified(a schemas.Attributes, k schemas.MailKey) schemas.MailClassified {
	c := schemas.MailClassified{Attributes: a, MailAttributes: r.mailAttributes(k), Data: schemas.ClassifiedMail{
		Mail: r.bytes(2000), Decision: schemas.Decision{Revision: r.Int64N(1 << 53), ClassifiedAt: r.time()},
	}}
	d := &c.Data.Decision
	for range r.IntN(101) {
		recipient := schemas.Recipient{Address: r.text(0, 320), Header: r.text(0, 64), Used: r.coin()}
		if r.coin() {
			recipient.Folder = r.slug()
		}
		d.Recipients = append(d.Recipients, recipient)
	}
	if d.Reason = c.Reason; d.Reason == "" && r.coin() {
		d.Reason = r.reason()
	}
	if d.Verdict = schemas.Invalid; d.Reason == "" {
		d.Verdict = schemas.Accepted
		for range 1 + r.IntN(5) {
			d.Clones = append(d.Clones, schemas.Clone{
				Folder: r.slug(), FolderName: r.text(0, 200), Address: r.text(0, 320), Header: r.text(0, 64),
				Rule: pick(r, schemas.RuleExact, schemas.RulePlus, schemas.RuleCatchAll),
			})
		}
	}
	return c
}

func (r random) dead(a schemas.Attributes, k schemas.MailKey) schemas.MailDead {
	var uids []string
	for range r.IntN(5) {
		uids = append(uids, fmt.Sprint(r.nonZero()))
	}
	d := schemas.MailDead{
		Attributes: a, Tenant: k.Tenant, Mailbox: k.Mailbox, Stage: r.stage(), Error: r.text(1, 1000), Attempts: r.IntN(20),
		OriginalSubject: schemas.SubjectClassified(schemas.Light, k.Tenant, k.Mailbox), UIDValidity: r.Uint32(), UIDs: strings.Join(uids, ","),
		Data: schemas.NATSMessage{Header: map[string][]string{}, Payload: r.bytes(2000)},
	}
	if r.coin() {
		d.MailID = k.ID()
	}
	for i := range r.IntN(4) {
		d.Data.Header[fmt.Sprintf("X-%d", i)] = []string{fmt.Sprint(r.Uint64()), "b"}
	}
	return d
}

func pick[T any](r random, values ...T) T { return values[r.IntN(len(values))] }

func (r random) coin() bool      { return r.IntN(2) == 0 }
func (r random) nonZero() uint32 { return pick(r, 1, math.MaxUint32, 1+r.Uint32N(math.MaxUint32)) }

func (r random) stage() schemas.Stage {
	return pick(r, schemas.StageFetcher, schemas.StageClassifier, schemas.StagePersister, schemas.StageDisposer)
}

func (r random) reason() schemas.Reason {
	return pick(r, schemas.ReasonNoMatchingFolder, schemas.ReasonUnparsable, schemas.ReasonLoop)
}

func (r random) bytes(limit int) []byte {
	b := make([]byte, r.IntN(limit))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// text returns from least to most characters of all kinds.
func (r random) text(least, most int) string {
	runes := make([]rune, least+r.IntN(most-least+1))
	for i := range runes {
		runes[i] = pick(r, 'a', '"', '%', ' ', '<', '\\', 'é', '€', '😀', '\n', 0, '\u2028')
	}
	return string(runes)
}

func (r random) slug() string {
	const letters = "abcxyz0189"
	b := make([]byte, 1+r.IntN(63))
	for i := range b {
		b[i] = letters[r.IntN(len(letters))]
		if i > 0 && i < len(b)-1 && r.IntN(5) == 0 {
			b[i] = '-'
		}
	}
	return string(b)
}

func (r random) uids() []uint32 {
	uids := make([]uint32, 1+r.IntN(schemas.MaxDisposeUIDs))
	for i := range uids {
		uids[i] = r.nonZero()
	}
	slices.Sort(uids)
	return slices.Compact(uids)
}

func (r random) time() time.Time {
	return time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC()
}

func (r random) maybeTime() *time.Time {
	if r.coin() {
		return nil
	}
	t := r.time()
	return &t
}
