package deployment_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/deployment"
)

func write(t *testing.T, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheEnvironmentOverridesTheFileAndFilesHoldSecrets(t *testing.T) {
	t.Parallel()
	file := write(t, `
nats: {url: "nats://file:4222", user: fetcher, store: 20 GB}
redis: redis://file:6379/0
messaging: {default: "sqlite:/file.db"}
grace: 20s
`)
	s, err := deployment.Load(deployment.Defaults(), file, []string{
		"MAILYARD_NATS_URL=nats://environment:4222",
		"MAILYARD_NATS_PASSWORD_FILE=" + write(t, "hush\n"),
		"MAILYARD_REDIS_URL_FILE=" + write(t, "redis://:hush@environment:6379/1\r\n"),
		"MAILYARD_MESSAGING_BIG_ONE=postgres://environment/big",
		"MAILYARD_MASTER_KEY_FILE=/keys/master.key",
		"MAILYARD_INSECURE_HOSTS=mail:143, [::1]:10143",
		"MAILYARD_TEST_REDIS=for tests",
		"IMAP_PASSWORD=not ours",
	})
	if err != nil {
		t.Fatal(err)
	}
	store, err := s.NATS.StoreBytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"nats.url", s.NATS.URL, "nats://environment:4222"},
		{"nats.user", s.NATS.User, "fetcher"},
		{"nats.password", s.NATS.Password.Reveal(), "hush"},
		{"nats.store", store, int64(20e9)},
		{"redis", s.RedisURL.Reveal(), "redis://:hush@environment:6379/1"},
		{"messaging.default", s.Messaging["default"].Reveal(), "sqlite:/file.db"},
		{"messaging.big-one", s.Messaging["big-one"].Reveal(), "postgres://environment/big"},
		{"master_key_file", s.MasterKeyFile, "/keys/master.key"},
		{"grace", s.Grace, 20 * time.Second},
		{"lease_ttl", s.LeaseTTL, deployment.Defaults().LeaseTTL},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v; want %v", c.what, c.got, c.want)
		}
	}
	if !s.Insecure("MAIL", 143) || !s.Insecure("::1", 10143) || s.Insecure("mail", 993) {
		t.Errorf("clear text is allowed to %q", s.InsecureHosts)
	}
}

func TestEveryProblemIsToldWithItsPathAndNoSecret(t *testing.T) {
	t.Parallel()
	_, err := deployment.Load(deployment.Defaults(), "", []string{
		"MAILYARD_NATS_URL=http://host", "MAILYARD_NATS_REPLICAS=2", "MAILYARD_NATS_STORE=much",
		"MAILYARD_REDIS_URL=host:hush", "MAILYARD_CONTROL_URL=mysql://user:hush@host", "MAILYARD_MESSAGING_DEFAULT=hush",
		"MAILYARD_INSECURE_HOSTS=mail", "MAILYARD_LOG_LEVEL=loud", "MAILYARD_GRACE=-1s", "MAILYARD_LEASE_TTL=1ms",
	})
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	for _, path := range []string{"nats.url", "nats.replicas", "nats.store", "redis", "control", "messaging.default", "insecure_hosts[0]", "log_level", "grace", "lease_ttl"} {
		if !strings.Contains(err.Error(), "\n"+path+": ") {
			t.Errorf("%s is not among the problems:\n%v", path, err)
		}
	}
	if strings.Contains(err.Error(), "hush") {
		t.Errorf("a secret is told:\n%v", err)
	}
}

func TestWhatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		environ    []string
		want       string
	}{
		{name: "unknown key", file: "nats: {uri: x}", want: "uri"},
		{name: "not a number", environ: []string{"MAILYARD_NATS_REPLICAS=three"}, want: "MAILYARD_NATS_REPLICAS"},
		{name: "missing secret", environ: []string{"MAILYARD_NATS_PASSWORD_FILE=/does/not/exist"}, want: "MAILYARD_NATS_PASSWORD_FILE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := deployment.Load(deployment.Defaults(), write(t, c.file), c.environ)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want %q", err, c.want)
			}
		})
	}
}
