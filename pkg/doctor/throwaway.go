package doctor

import (
	"context"
	"crypto/rand"
	"regexp"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/mailyard/mailyard/pkg/imapconn"
	"github.com/mailyard/mailyard/pkg/mailhost"
)

// Throw-away folders are named so that those of a run that was killed are known
// from those of one that is under way, and from a person's.
const (
	throwAwayPrefix = "mailyard-doctor-"
	throwAwayTime   = "20060102150405"
	throwAwayAge    = 10 * time.Minute // then it is left over: no run takes so long
	cleanupTime     = 8 * time.Second
)

// throwAwayName is the form of their names: prefix, time in UTC, random.
var throwAwayName = regexp.MustCompile(`^` + throwAwayPrefix + `(\d{14})-[a-z2-7]{8}$`)

// throwAway names a new folder and remembers to remove it. It need not be made.
func (r *run) throwAway() string {
	name := throwAwayPrefix + time.Now().UTC().Format(throwAwayTime) + "-" + strings.ToLower(rand.Text()[:8])
	r.made = append(r.made, name)
	return name
}

// leftOver reports whether a folder is one that an earlier run left behind.
func leftOver(name string, now time.Time) bool {
	m := throwAwayName.FindStringSubmatch(name)
	if m == nil {
		return false
	}
	made, err := time.Parse(throwAwayTime, m[1])
	return err == nil && now.Sub(made) > throwAwayAge
}

// sweep removes what earlier runs left behind, and returns how many folders.
func (r *run) sweep(ctx context.Context) (int, error) {
	names, err := r.conn.FoldersNamed(ctx, throwAwayPrefix, 100)
	if err != nil {
		return 0, err
	}
	removed := 0
	for _, name := range names {
		if !leftOver(name, time.Now()) {
			continue
		}
		if err := r.conn.RemoveFolder(ctx, name); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// discard removes the throw-away folders of this run. The watched folder is
// selected then.
func (r *run) discard(ctx context.Context) error {
	inbox, err := r.conn.Select(ctx, r.req.Document.Inbox)
	if err != nil {
		return err
	}
	r.inbox = inbox
	for len(r.made) > 0 {
		name := r.made[len(r.made)-1]
		found, err := r.conn.HasFolder(ctx, name)
		if err == nil && found {
			err = r.conn.RemoveFolder(ctx, name)
		}
		if err != nil {
			return err
		}
		r.made = r.made[:len(r.made)-1]
	}
	return nil
}

// cleanUp removes what is still there when the run ends, however it ends. When
// ctx has ended, so has the connection: another one is made.
func (r *run) cleanUp(ctx context.Context) {
	defer r.close()
	if len(r.made) == 0 && !r.awaited() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if r.conn == nil || !r.conn.Alive() {
		r.close()
		conn, err := imapconn.Dial(ctx, r.req.target(mailhost.IMAP), r.options(nil))
		if err != nil {
			r.log.Warn("coming back to clean up", zap.Strings("folders", r.made), zap.Error(err))
			return
		}
		r.conn = conn
	}
	if r.awaited() {
		r.removeLate(ctx)
	}
	if err := r.discard(ctx); err != nil {
		r.log.Warn("removing the doctor's folders", zap.Strings("folders", r.made), zap.Error(err))
	}
}
