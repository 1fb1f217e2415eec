//go:build full

package imaptest

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"text/template"
	"time"
)

//go:embed dovecot.conf.tmpl
var dovecotConf string

// mailUser owns the mails of Dovecot; it need not be in /etc/passwd.
const mailUser = 5000

// capabilities of Dovecot once signed in, those that tests hide among them.
var dovecotCapabilities = []string{
	"IMAP4rev1", "SASL-IR", "ID", "ENABLE", "IDLE", "SORT", "THREAD=REFERENCES", "UNSELECT", "CHILDREN", "NAMESPACE",
	"UIDPLUS", "LIST-EXTENDED", "CONDSTORE", "ESEARCH", "ESORT", "SEARCHRES", "WITHIN", "LIST-STATUS", "BINARY", "MOVE", "LITERAL+",
}

// Dovecot starts a Dovecot of its own, of the binary that MAILYARD_TEST_DOVECOT
// names, as root. It ends with the test.
func Dovecot(t testing.TB, opts Options) *Server {
	t.Helper()
	binary := os.Getenv("MAILYARD_TEST_DOVECOT")
	if binary == "" {
		t.Fatal("MAILYARD_TEST_DOVECOT must name the dovecot binary")
	}
	// Not t.TempDir: its parent is closed to the mail user, and its name may be
	// too long for a socket.
	dir, err := os.MkdirTemp("", "dovecot")
	if err != nil {
		t.Fatal(err)
	}
	d := &dovecot{t: t, binary: binary, dir: dir}
	cert := NewCertificate(t, time.Time{})
	s := &Server{Host: "127.0.0.1", Port: freePort(t), TLS: freePort(t), CA: cert.CA, t: t, users: opts.users(), deliver: d.deliver, start: d.start, stop: d.stop, log: d.log}
	s.usersChanged = func() { d.writeUsers(s.users) }
	d.ports = []int{s.Port, s.TLS}
	d.configure(opts, s, cert)
	t.Cleanup(func() {
		d.stop(false)
		if t.Failed() {
			t.Logf("log of Dovecot:\n%s", d.log())
		}
		os.RemoveAll(dir)
	})
	d.start()
	return s
}

type dovecot struct {
	t       testing.TB
	binary  string
	dir     string
	ports   []int
	cmd     *exec.Cmd
	exited  chan struct{}
	counter int
}

func (d *dovecot) configure(opts Options, s *Server, cert Certificate) {
	d.t.Helper()
	var capabilities []string
	if len(opts.Hide) > 0 {
		for _, c := range dovecotCapabilities {
			if !contains(opts.Hide, c) {
				capabilities = append(capabilities, c)
			}
		}
	}
	separator := opts.Separator
	if separator == "" {
		separator = "/"
	}
	var conf bytes.Buffer
	err := template.Must(template.New("").Parse(dovecotConf)).Execute(&conf, map[string]any{
		"Dir": d.dir, "Port": s.Port, "TLS": s.TLS, "User": mailUser, "Prefix": opts.Prefix, "Separator": separator,
		"Quota": opts.Quota, "Capabilities": strings.Join(capabilities, " "), "Extra": opts.Extra,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.write("dovecot.conf", conf.Bytes())
	d.writeUsers(s.users)
	d.write("cert.pem", []byte(cert.Cert))
	d.write("key.pem", []byte(cert.Key))
	d.mkdir("run", 0)
	d.mkdir("state", 0)
	d.mkdir("mail", mailUser)
	if err := os.Chmod(d.dir, 0o755); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dovecot) writeUsers(users map[string]string) {
	d.t.Helper()
	var b bytes.Buffer
	for user, password := range users {
		fmt.Fprintf(&b, "%s:{PLAIN}%s::::::\n", user, password)
	}
	d.write("users", b.Bytes())
}

func (d *dovecot) write(name string, data []byte) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), data, 0o644); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dovecot) mkdir(name string, owner int) {
	d.t.Helper()
	path := filepath.Join(d.dir, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Chown(path, owner, owner); err != nil {
		d.t.Fatal(err)
	}
}

func (d *dovecot) start() {
	d.t.Helper()
	if d.cmd != nil {
		d.t.Fatal("Dovecot is running")
	}
	var out bytes.Buffer
	cmd := exec.Command(d.binary, "-F", "-c", filepath.Join(d.dir, "dovecot.conf"))
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		d.t.Fatalf("starting Dovecot: %v", err)
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	d.cmd, d.exited = cmd, exited
	Eventually(d.t, "Dovecot greets", func() bool {
		select {
		case <-exited:
			d.t.Fatalf("Dovecot ended at once: %s\n%s", out.String(), d.log())
		default:
		}
		return d.greets()
	})
}

func (d *dovecot) greets() bool {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", d.ports[0]), time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 4)
	n, _ := conn.Read(b)
	return string(b[:n]) == "* OK"
}

func (d *dovecot) stop(kill bool) {
	d.t.Helper()
	if d.cmd == nil {
		return
	}
	// The group: what a killed master leaves behind would keep the ports.
	if kill {
		syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	} else {
		d.cmd.Process.Signal(syscall.SIGTERM)
	}
	select {
	case <-d.exited:
	case <-time.After(10 * time.Second):
		syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
		<-d.exited
	}
	syscall.Kill(-d.cmd.Process.Pid, syscall.SIGKILL)
	d.cmd = nil
	os.Remove(filepath.Join(d.dir, "run", "master.pid"))
	d.unlock()
}

// unlock removes the lock files of processes that were killed: Dovecot waits two
// minutes before it takes one for stale.
func (d *dovecot) unlock() {
	d.t.Helper()
	err := filepath.WalkDir(filepath.Join(d.dir, "mail"), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".lock") {
			return err
		}
		return os.Remove(path)
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.t.Fatal(err)
	}
}

// deliver writes into the maildir, as a mail transfer agent does: into tmp, then
// renamed into new.
func (d *dovecot) deliver(user string, raw []byte) {
	d.t.Helper()
	home := filepath.Join("mail", user)
	if d.counter == 0 || !exists(filepath.Join(d.dir, home, "maildir", "new")) {
		for _, name := range []string{home, home + "/maildir", home + "/maildir/new", home + "/maildir/cur", home + "/maildir/tmp"} {
			d.mkdir(name, mailUser)
		}
	}
	d.counter++
	maildir := filepath.Join(d.dir, home, "maildir")
	name := fmt.Sprintf("%d.M%08d.test", time.Now().Unix(), d.counter)
	tmp := filepath.Join(maildir, "tmp", name)
	err := os.WriteFile(tmp, raw, 0o600)
	if err == nil {
		err = os.Chown(tmp, mailUser, mailUser)
	}
	if err == nil {
		err = os.Rename(tmp, filepath.Join(maildir, "new", name))
	}
	if err != nil {
		d.t.Fatalf("delivering a mail: %v", err)
	}
}

func (d *dovecot) log() string {
	b, _ := os.ReadFile(filepath.Join(d.dir, "dovecot.log"))
	return string(b)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
