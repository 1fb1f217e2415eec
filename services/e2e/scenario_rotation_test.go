package e2e_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mailyard/mailyard/pkg/config"
	"github.com/mailyard/mailyard/pkg/control"
	"github.com/mailyard/mailyard/pkg/secret"
	"github.com/mailyard/mailyard/schemas"
	records "github.com/mailyard/mailyard/schemas/config"
	"github.com/mailyard/mailyard/services/admin/operation"
)

// stored is how many mailboxes have a password and are not enabled.
const stored = 10_000

func storedID(n int) string { return fmt.Sprintf("m%05d", n) }

// The key of a tenant with ten thousand passwords is replaced while mail flows.
// The rotator is killed twice in the middle, and the fetcher once, which then
// has mailboxes whose passwords are under the new version, and some under the old.
func playRotationKilled(sc *scene) {
	r := rotation{scene: sc}
	r.fill()
	for _, id := range []string{"a-live", storedID(2000) + "-live", storedID(7000) + "-live", "z-live"} {
		sc.box(func(d *config.Mailbox) { d.ID, d.Name, d.ConnectRetries = id, id, 100 })
	}
	r.flow("mail flows", func() string {
		for _, b := range sc.boxes {
			if len(b.rows()) == 0 {
				return b.doc.ID + " has none"
			}
		}
		return ""
	})
	oldKey, oldPasswords := r.database()
	first, second := r.hold(storedID(5000)), r.hold(storedID(9000))

	var tenant struct{ Key operation.TenantKey }
	sc.site.doors.ask(sc, "POST", "/tenants/"+sc.name+"/key/rotate", nil, &tenant)
	if tenant.Key.Rotation == nil || tenant.Key.Rotation.Total != stored+len(sc.boxes) {
		sc.Fatalf("the key is %+v", tenant.Key)
	}
	restart := r.killRotator(0)
	// Both versions are in use now: who comes fresh must read either.
	sc.site.kill(sc, "fetcher")()
	restart()
	before := make([]int, len(sc.boxes))
	for i, b := range sc.boxes {
		before[i] = b.sent
	}
	r.flow("mail that came after the kills is stored", func() string {
		for i, b := range sc.boxes {
			if n := len(b.rows()); n <= before[i] {
				return fmt.Sprintf("%d mails of %s are, and %d came before; it is %s", n, b.doc.ID, before[i], b.state().Status)
			}
		}
		return ""
	})
	done := r.progress().Done
	first()
	restart = r.killRotator(done)
	second()
	restart()
	r.flow("the rotation ends", func() string {
		tenant.Key = operation.TenantKey{}
		sc.site.doors.ask(sc, "GET", "/tenants/"+sc.name, nil, &tenant)
		return unless(tenant.Key.Rotation == nil, "%+v", tenant.Key.Rotation)
	})
	r.checkKeys(tenant.Key.ID, oldKey, oldPasswords)
	// Who signs in afterwards does so with what is stored now.
	for _, b := range sc.boxes {
		b.change(func(d *config.Mailbox) { d.Enabled = false })
		b.awaitStatus(schemas.StatusDisabled)
		b.light(5, "billing")
		b.change(func(d *config.Mailbox) { d.Enabled = true })
	}
	sc.checkAll(patience)
	r.checkSignIns()
}

// A rotation is what the scenario sees of one.
type rotation struct{ *scene }

// fill makes the mailboxes that are only stored. To apply so many documents takes
// minutes on a busy machine, so they are written as they would be stored, while
// the admin is away that publishes them when it comes back.
func (r rotation) fill() {
	r.Helper()
	restart := r.site.kill(r, "admin")
	db := must(sql.Open("pgx", r.site.doors.database))(r)
	defer db.Close()
	wrapped, _ := r.database()
	key := must(r.site.doors.master.TenantKey(r.name, wrapped))(r)
	tenant := must(r.site.control.GetTenant(r.Context(), landlord, r.name))(r)
	doc := config.DefaultMailbox()
	doc.Tenant, doc.Folders = r.name, []string{}
	doc.IMAP = records.Server{Host: r.server.Host, Port: r.server.Port, Security: records.SecuritySTARTTLS, CA: r.server.CA}
	const rows = 500
	now := control.FormatTime(time.Now())
	for first := 0; first < stored; first += rows {
		var values []string
		var args []any
		for n := first; n < first+rows; n++ {
			id := storedID(n)
			doc.ID, doc.Name, doc.Username = id, id, id
			at := len(args)
			values = append(values, fmt.Sprintf("($%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d)", at+1, at+2, at+3, at+4, at+5, at+6, at+7, at+8, at+9))
			args = append(args, r.name, id, config.NameKey(id), id, string(must(json.Marshal(doc))(r)), tenant.Revision,
				must(key.Seal(r.name, id, secret.NewString(password(id))))(r), now, now)
		}
		_, err := db.ExecContext(r.Context(), `INSERT INTO mailboxes (tenant, id, name_key, username_key, document, revision, password, created_at, updated_at) VALUES `+strings.Join(values, ", "), args...)
		check(r, err)
	}
	restart()
}

// flow delivers a mail to each mailbox as often as it looks at the condition.
func (r rotation) flow(what string, condition func() string) {
	r.Helper()
	await(r, what, func() string {
		r.Helper()
		for _, b := range r.boxes {
			b.light(1, "support", "sales")
		}
		return condition()
	})
}

// hold keeps the rotation from going beyond a mailbox: it waits for the row. So
// it is in the middle for sure, and inside a transaction, when it is killed.
func (r rotation) hold(mailbox string) (release func()) {
	r.Helper()
	db := must(sql.Open("pgx", r.site.doors.database))(r)
	tx := must(db.BeginTx(r.Context(), nil))(r)
	var id string
	check(r, tx.QueryRowContext(r.Context(), `SELECT id FROM mailboxes WHERE tenant = $1 AND id = $2 FOR UPDATE`, r.name, mailbox).Scan(&id))
	return func() {
		r.Helper()
		check(r, tx.Rollback())
		check(r, db.Close())
	}
}

func (r rotation) progress() control.Rotation {
	r.Helper()
	p := must(r.site.control.GetTenant(r.Context(), landlord, r.name))(r).Rotation
	if p == nil {
		r.Fatal("the rotation has ended")
	}
	return *p
}

// killRotator kills it when it has done more than so many mailboxes.
func (r rotation) killRotator(done int) (restart func()) {
	r.Helper()
	r.flow("the rotation goes on", func() string {
		p := r.progress()
		return unless(p.Done > done, "%d of %d are done", p.Done, p.Total)
	})
	restart = r.site.kill(r, "admin")
	if p := r.progress(); p.Done <= done || p.Done >= p.Total {
		r.Errorf("it was not killed in the middle, but at %d of %d", p.Done, p.Total)
	}
	return restart
}

// database returns the tenant's wrapped key and the passwords, as they are stored.
func (r rotation) database() (wrapped []byte, passwords map[string][]byte) {
	r.Helper()
	db := must(sql.Open("pgx", r.site.doors.database))(r)
	defer db.Close()
	check(r, db.QueryRowContext(r.Context(), `SELECT wrapped_key FROM tenants WHERE id = $1`, r.name).Scan(&wrapped))
	rows := must(db.QueryContext(r.Context(), `SELECT id, password FROM mailboxes WHERE tenant = $1`, r.name))(r)
	defer rows.Close()
	passwords = map[string][]byte{}
	for rows.Next() {
		var id string
		var sealed []byte
		check(r, rows.Scan(&id, &sealed))
		passwords[id] = sealed
	}
	check(r, rows.Err())
	return wrapped, passwords
}

// bucket returns the same as the services have it, and every version of the key
// that the bucket keeps.
func (r rotation) bucket() (keys [][]byte, passwords map[string][]byte) {
	r.Helper()
	kv := must(r.site.bus.JetStream().KeyValue(r.Context(), schemas.BucketConfig))(r)
	for _, entry := range must(kv.History(r.Context(), records.TenantRecordKey(r.name)))(r) {
		var tenant records.TenantRecord
		check(r, json.Unmarshal(entry.Value(), &tenant))
		keys = append(keys, tenant.WrappedKey)
	}
	w := must(kv.Watch(r.Context(), "mailbox."+r.name+".*", jetstream.IgnoreDeletes()))(r)
	defer w.Stop()
	passwords = map[string][]byte{}
	for entry := range w.Updates() {
		if entry == nil {
			break
		}
		var mailbox records.MailboxRecord
		check(r, json.Unmarshal(entry.Value(), &mailbox))
		passwords[mailbox.Document.ID] = mailbox.Password
	}
	return keys, passwords
}

// checkKeys checks that the new version, and it alone, opens every password,
// in the database and in the bucket, and that the old one is in neither.
func (r rotation) checkKeys(keyID string, oldWrapped []byte, oldPasswords map[string][]byte) {
	r.Helper()
	wrapped, passwords := r.database()
	var keys [][]byte
	var published map[string][]byte
	await(r, "the bucket has the last key", func() string {
		keys, published = r.bucket()
		return unless(len(keys) == 1 && string(keys[0]) == string(wrapped), "it keeps %d", len(keys))
	})
	master := r.site.doors.master
	old, now := must(master.TenantKey(r.name, oldWrapped))(r), must(master.TenantKey(r.name, wrapped))(r)
	if now.ID() != keyID || now.ID() == old.ID() {
		r.Errorf("the key is %s, was %s; the tenant tells of %s", now.ID(), old.ID(), keyID)
	}
	if n := stored + len(r.boxes); len(passwords) != n || len(published) != n {
		r.Errorf("%d passwords are in the database and %d in the bucket; want %d", len(passwords), len(published), n)
	}
	opens := func(key *secret.TenantKey, id string, sealed []byte) bool {
		_, err := key.Open(r.name, id, sealed)
		return err == nil
	}
	want := map[string]string{}
	for _, b := range r.boxes {
		want[b.doc.ID] = password(b.user)
	}
	for id, sealed := range passwords {
		if want[id] == "" {
			want[id] = password(id)
		}
		got, err := now.Open(r.name, id, sealed)
		if err != nil || got.Reveal() != want[id] || !opens(now, id, published[id]) {
			r.Fatalf("the new version does not open the password of %s: %v", id, err)
		}
		if opens(old, id, sealed) || opens(old, id, published[id]) || opens(now, id, oldPasswords[id]) || !opens(old, id, oldPasswords[id]) {
			r.Fatalf("the old version is still in use for %s", id)
		}
	}
}

// checkSignIns checks that no mailbox was ever told that its password is wrong.
func (r rotation) checkSignIns() {
	r.Helper()
	events := must(r.site.bus.JetStream().Stream(r.Context(), schemas.StreamEvents))(r)
	subject := schemas.SubjectMailboxState(schemas.StatusAuthFailed, r.name, "*")
	info := must(events.Info(r.Context(), jetstream.WithSubjectFilter(subject)))(r)
	if len(info.State.Subjects) > 0 {
		r.Errorf("mailboxes were in the state %s: %v", schemas.StatusAuthFailed, info.State.Subjects)
	}
}
