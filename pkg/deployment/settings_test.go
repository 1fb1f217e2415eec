package deployment_test

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/mailyard/mailyard/pkg/deployment"
	"github.com/mailyard/mailyard/pkg/egress"
	"github.com/mailyard/mailyard/pkg/secret"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func full() deployment.Settings {
	return deployment.Settings{
		NATS:     deployment.NATS{URL: "nats://n1:4222,nats://n2:4222", User: "fetcher", Password: secret.NewString("pw-nats"), Replicas: 3, Store: "20GiB"},
		RedisURL: secret.NewString("rediss://:pw@redis:6379/1"), Control: secret.NewString("postgres://u:p@db/control"),
		Messaging:     map[string]secret.String{"default": secret.NewString("sqlite:/data/m.db"), "big-one": secret.NewString("postgres://u:p@db/big")},
		MasterKeyFile: "/keys/master.key", InsecureHosts: []string{"demo:10143", "127.0.0.1:143"}, Health: ":8080", LogLevel: "debug",
		MailNetworks: []string{"10.0.0.0/8", "127.0.0.1:10143"}, MailPorts: []int{10143, 1587},
		Admin: deployment.Admin{Listen: "127.0.0.1:8420", URL: "https://mail.example.com", TrustedProxies: []string{"10.244.0.0/16", "192.0.2.1"}, OperatorToken: secret.NewString("operator-token-of-24-chars"), OIDC: deployment.OIDC{
			Issuer: "https://login.example.com/realm", ClientID: "mailyard", ClientSecret: secret.NewString("pw-oidc"), Name: "Example", RoleClaim: "roles", TenantClaim: "tenant", TokenDays: 7,
			Landlord: []string{"mail landlords", "root"}, TenantAdmin: []string{"mail-admin"}, Reader: []string{"mail-reader"},
		}},
		Grace: 20 * time.Second, LeaseTTL: 10 * time.Second,
	}
}

func check(t *testing.T, got deployment.Settings) {
	t.Helper()
	same := cmp.Comparer(func(a, b secret.String) bool { return a.Reveal() == b.Reveal() })
	if diff := cmp.Diff(full(), got, same, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestEverySettingOfAFile(t *testing.T) {
	t.Parallel()
	path := file(t, "settings.yaml", `
nats: {url: "nats://n1:4222,nats://n2:4222", user: fetcher, password: pw-nats, replicas: 3, store: 20GiB}
redis: rediss://:pw@redis:6379/1
control: postgres://u:p@db/control
messaging: {default: "sqlite:/data/m.db", big-one: "postgres://u:p@db/big"}
master_key_file: /keys/master.key
insecure_hosts: ["demo:10143", "127.0.0.1:143"]
mail_networks: [10.0.0.0/8, "127.0.0.1:10143"]
mail_ports: [10143, 1587]
admin:
  listen: 127.0.0.1:8420
  url: https://mail.example.com
  trusted_proxies: [10.244.0.0/16, 192.0.2.1]
  operator_token: operator-token-of-24-chars
  oidc: {issuer: "https://login.example.com/realm", client_id: mailyard, client_secret: pw-oidc, name: Example, role_claim: roles, tenant_claim: tenant, token_days: 7,
    landlord: [mail landlords, root], tenant_admin: [mail-admin], reader: [mail-reader]}
health: ":8080"
log_level: debug
grace: 20s
lease_ttl: 10s
`)
	got, err := deployment.Load(deployment.Defaults(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(t, got)
}

func TestEnvironmentOverridesAndNamesFiles(t *testing.T) {
	t.Parallel()
	settings := file(t, "settings.yaml", "log_level: error\ngrace: 1s\nmessaging: {default: \"sqlite:/elsewhere\"}\n")
	base := deployment.Defaults()
	got, err := deployment.Load(base, settings, []string{
		"MAILYARD_NATS_URL=nats://n1:4222,nats://n2:4222", "MAILYARD_NATS_USER=fetcher", "MAILYARD_NATS_PASSWORD_FILE=" + file(t, "pw", "pw-nats\n"),
		"MAILYARD_NATS_REPLICAS=3", "MAILYARD_NATS_STORE=20GiB", "MAILYARD_REDIS_URL_FILE=" + file(t, "redis", "rediss://:pw@redis:6379/1\r\n"),
		"MAILYARD_CONTROL_URL=postgres://u:p@db/control", "MAILYARD_MESSAGING_DEFAULT=sqlite:/data/m.db",
		"MAILYARD_MESSAGING_BIG_ONE_FILE=" + file(t, "big", "postgres://u:p@db/big"), "MAILYARD_MASTER_KEY_FILE=/keys/master.key",
		"MAILYARD_INSECURE_HOSTS=demo:10143, 127.0.0.1:143", "MAILYARD_HEALTH_ADDR=:8080", "MAILYARD_LOG_LEVEL=debug", "MAILYARD_GRACE=20s", "MAILYARD_LEASE_TTL=10s",
		"MAILYARD_MAIL_NETWORKS=10.0.0.0/8, 127.0.0.1:10143", "MAILYARD_MAIL_PORTS=10143 1587", "MAILYARD_ADMIN_LISTEN=127.0.0.1:8420", "MAILYARD_ADMIN_URL=https://mail.example.com", "MAILYARD_ADMIN_TRUSTED_PROXIES=10.244.0.0/16, 192.0.2.1", "MAILYARD_ADMIN_OPERATOR_TOKEN=operator-token-of-24-chars",
		"MAILYARD_ADMIN_OIDC_ISSUER=https://login.example.com/realm", "MAILYARD_ADMIN_OIDC_CLIENT_ID=mailyard", "MAILYARD_ADMIN_OIDC_CLIENT_SECRET_FILE=" + file(t, "oidc", "pw-oidc\n"),
		"MAILYARD_ADMIN_OIDC_NAME=Example", "MAILYARD_ADMIN_OIDC_ROLE_CLAIM=roles", "MAILYARD_ADMIN_OIDC_TENANT_CLAIM=tenant",
		"MAILYARD_ADMIN_OIDC_LANDLORD=mail landlords, root", "MAILYARD_ADMIN_OIDC_TENANT_ADMIN=mail-admin", "MAILYARD_ADMIN_OIDC_READER=mail-reader", "MAILYARD_ADMIN_OIDC_TOKEN_DAYS=7",
		"MAILYARD_TEST_POSTGRES=not ours", "MAILYARD_IMAP_PASSWORD_FILE=/not/ours/either", "OTHER_LOG_LEVEL=loud",
	})
	if err != nil {
		t.Fatal(err)
	}
	check(t, got)
	if len(base.Messaging) != 0 {
		t.Error("the base was changed")
	}
}

func TestAllProblemsAreToldAtOnceAndNoSecret(t *testing.T) {
	t.Parallel()
	path := file(t, "settings.yaml", `
nats: {url: "http://u:hunter2@n", replicas: 2, password: [hunter2]}
redis: "hunter2"
control: "mysql://u:hunter2@db"
messaging: hunter2
insecure_hosts: ["demo", "demo:0"]
mail_networks: [10.0.0.0/8, mail.example.com, 10.1.2.3/8]
mail_ports: [1587, 70000]
admin: {listen: "8420", url: "http://u:hunter2@mail.example.com", oidc: {issuer: "http://login.example.com", tenant_admin: [x], token_days: 400}}
log_level: loud
grace: 0s
lease_ttl: 10ms
looks: good
`)
	_, err := deployment.Load(deployment.Defaults(), path, []string{"MAILYARD_MESSAGING_BIG=hunter2://x", "MAILYARD_NATS_REPLICAS=many", "MAILYARD_NATS_PASSWORD_FILE=/nowhere"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{
		"nats.url: ", "MAILYARD_NATS_REPLICAS: ", "MAILYARD_NATS_PASSWORD_FILE: ", "redis: ", "control: ", "messaging.big: ", "insecure_hosts[0]: ", "insecure_hosts[1]: ",
		"log_level: ", "grace: ", "lease_ttl: ", "mail_networks[1]: ", "mail_networks[2]: ", "mail_ports[1]: ", "admin.listen: ", "admin.url: ", "admin.oidc.issuer: ",
		"admin.oidc.token_days: ", "admin.oidc.client_id: ", "admin.oidc.role_claim: ", "admin.oidc.tenant_claim: ", path + ": line 13: field looks not found", path + ": line 5: ",
	} {
		if !strings.Contains(err.Error(), "\n"+part) {
			t.Errorf("it does not tell %q", part)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Error("it tells a secret")
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	if _, err := deployment.Load(deployment.Defaults(), "/nowhere/s.yaml", nil); err == nil || !strings.Contains(err.Error(), "/nowhere/s.yaml") {
		t.Errorf("Load = %v", err)
	}
	path := file(t, "s.yaml", "nats: [\n")
	if _, err := deployment.Load(deployment.Defaults(), path, nil); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("Load = %v", err)
	}
	if _, err := deployment.Load(deployment.Defaults(), file(t, "empty.yaml", ""), nil); err != nil {
		t.Errorf("an empty file: %v", err)
	}
}

func TestInsecureIsForThisVeryHostAndPort(t *testing.T) {
	t.Parallel()
	s := deployment.Settings{InsecureHosts: []string{"Demo.example:143", "[::1]:143"}}
	for _, c := range []struct {
		host string
		port int
		want bool
	}{{"demo.EXAMPLE", 143, true}, {"demo.example", 993, false}, {"other.example", 143, false}, {"::1", 143, true}} {
		if got := s.Insecure(c.host, c.port); got != c.want {
			t.Errorf("Insecure(%s, %d) = %v", c.host, c.port, got)
		}
	}
}

func TestAdminIsReachedByHTTPSOrOnLoopback(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ admin, want string }{
		{admin: `{}`},
		{admin: `{listen: ":8420", url: "https://mail.example.com/"}`},
		{admin: `{listen: "[::1]:0", url: "http://127.0.0.1:8420"}`},
		{admin: `{url: "http://localhost:8420"}`},
		{admin: `{url: "http://mail.example.com"}`, want: "admin.url: "},
		{admin: `{url: "https://mail.example.com/console"}`, want: "admin.url: "},
		{admin: `{url: "mail.example.com"}`, want: "admin.url: "},
		{admin: `{trusted_proxies: [10.244.0.0/16, 192.0.2.1, "fd00:1::/32"]}`},
		{admin: `{trusted_proxies: [10.244.0.9/16]}`, want: `admin.trusted_proxies[0]: "10.244.0.9/16" is not the beginning of its network, 10.244.0.0/16`},
		{admin: `{trusted_proxies: [10.0.0.0/8, ingress]}`, want: "admin.trusted_proxies[1]: \"ingress\" is neither an address nor a network"},
		{admin: `{trusted_proxies: ["fe80::1%eth0"]}`, want: "admin.trusted_proxies[0]: "},
		{admin: `{trusted_proxies: ["::ffff:10.0.0.0/104"]}`, want: "admin.trusted_proxies[0]: "},
		{admin: `{trusted_proxies: [0.0.0.0/0]}`, want: "admin.trusted_proxies[0]: \"0.0.0.0/0\" is everybody"},
		{admin: `{listen: "127.0.0.1"}`, want: "admin.listen: "},
		{admin: `{listen: "127.0.0.1:99999"}`, want: "admin.listen: "},
		{admin: `{oidc: {client_id: mailyard}}`, want: "admin.oidc.issuer: "},
		{admin: `{oidc: {issuer: "https://login.example.com", client_id: mailyard, role_claim: roles}}`, want: "admin.oidc: "},
		{admin: `{oidc: {issuer: "http://127.0.0.1:9000", client_id: mailyard, role_claim: roles, landlord: [root]}}`},
	} {
		t.Run(c.admin, func(t *testing.T) {
			t.Parallel()
			_, err := deployment.Load(deployment.Defaults(), file(t, "settings.yaml", "admin: "+c.admin+"\n"), nil)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), "\n"+c.want)) {
				t.Errorf("Load = %v; want %q", err, c.want)
			}
		})
	}
}

func TestProxiesAreNetworks(t *testing.T) {
	t.Parallel()
	a := deployment.Admin{TrustedProxies: []string{"10.244.0.0/16", "192.0.2.1", "2001:db8::7"}}
	want := []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::7/128")}
	if got, err := a.Proxies(); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	if _, err := (deployment.Admin{TrustedProxies: []string{"everybody"}}).Proxies(); err == nil {
		t.Error("a network that is none was taken")
	}
}

func TestEgressIsWhatTheLandlordAllows(t *testing.T) {
	t.Parallel()
	d, err := deployment.Settings{MailNetworks: []string{"127.0.0.1:1"}}.Egress()
	if err != nil {
		t.Fatal(err)
	}
	var refused *egress.RefusedError
	if _, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:1"); errors.As(err, &refused) {
		t.Errorf("what is allowed: %v", err)
	}
	if _, err := d.DialContext(t.Context(), "tcp", "127.0.0.1:2"); !errors.As(err, &refused) {
		t.Errorf("what is not allowed: %v", err)
	}
	if _, err := (deployment.Settings{MailNetworks: []string{"everywhere"}}).Egress(); err == nil {
		t.Error("a network that is none was taken")
	}
	oidc := deployment.OIDC{Issuer: "https://login.example.com/realm"}
	if name := oidc.ButtonName(); name != "login.example.com" {
		t.Errorf("the button says %q", name)
	}
}
