package deployment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/mailyard/mailyard/pkg/secret"
)

// Prefix begins the name of every environment variable that mailyard reads.
const Prefix = "MAILYARD_"

// Load reads the file, if path is not empty, over the base, lets the
// environment (as os.Environ gives it) override it, and validates the outcome.
// The error tells every problem, one a line, and no value that may be secret.
func Load(base Settings, path string, environ []string) (Settings, error) {
	s := base
	s.Messaging = maps.Clone(base.Messaging)
	var inFile error
	if path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return Settings{}, fmt.Errorf("reading settings: %w", err)
		}
		inFile = s.applyFile(path, raw)
	}
	if err := errors.Join(inFile, s.applyEnvironment(environ), s.Validate()); err != nil {
		return Settings{}, fmt.Errorf("settings are not valid:\n%w", err)
	}
	return s, nil
}

// quotedValue is how the YAML decoder quotes a value of the wrong type.
var quotedValue = regexp.MustCompile("`[^`]*`")

func (s *Settings) applyFile(path string, raw []byte) error {
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	err := d.Decode(s)
	var wrong *yaml.TypeError
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case !errors.As(err, &wrong):
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	var problems []error
	for _, text := range wrong.Errors {
		problems = append(problems, fmt.Errorf("%s: %s", path, quotedValue.ReplaceAllString(text, "the value")))
	}
	return errors.Join(problems...)
}

// ConfigFile returns the path that the environment names for the settings, "" if none.
func ConfigFile(environ []string) string {
	for _, e := range environ {
		if v, ok := strings.CutPrefix(e, Prefix+"CONFIG="); ok {
			return v
		}
	}
	return ""
}

const messagingPrefix = "MESSAGING_"

func (s *Settings) applyEnvironment(environ []string) error {
	var problems []error
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		key, ok := strings.CutPrefix(name, Prefix)
		if !ok {
			continue
		}
		if k, ok := strings.CutSuffix(key, "_FILE"); ok && new(Settings).set(k, "1") != errUnknown {
			raw, err := os.ReadFile(value)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", name, err))
				continue
			}
			key, value = k, strings.TrimRight(string(raw), "\r\n")
		}
		if err := s.set(key, value); err != nil && !errors.Is(err, errUnknown) {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(problems...)
}

// errUnknown: other variables of the prefix belong to tests and to the user's documents.
var errUnknown = errors.New("no such setting")

func (s *Settings) set(key, value string) error {
	var err error
	switch key {
	case "NATS_URL":
		s.NATS.URL = value
	case "NATS_USER":
		s.NATS.User = value
	case "NATS_PASSWORD":
		s.NATS.Password = secret.NewString(value)
	case "NATS_REPLICAS":
		s.NATS.Replicas, err = strconv.Atoi(value)
	case "NATS_STORE":
		s.NATS.Store = value
	case "REDIS_URL":
		s.RedisURL = secret.NewString(value)
	case "CONTROL_URL":
		s.Control = secret.NewString(value)
	case "MASTER_KEY_FILE":
		s.MasterKeyFile = value
	case "INSECURE_HOSTS":
		s.InsecureHosts = list(value, ", ")
	case "MAIL_NETWORKS":
		s.MailNetworks = list(value, ", ")
	case "MAIL_PORTS":
		s.MailPorts, err = numbers(list(value, ", "))
	case "HEALTH_ADDR":
		s.Health = value
	case "LOG_LEVEL":
		s.LogLevel = value
	case "GRACE":
		s.Grace, err = time.ParseDuration(value)
	case "LEASE_TTL":
		s.LeaseTTL, err = time.ParseDuration(value)
	default:
		if strings.HasPrefix(key, "ADMIN_") {
			return s.Admin.set(key, value)
		}
		name, ok := strings.CutPrefix(key, messagingPrefix)
		if !ok || name == "" {
			return errUnknown
		}
		if s.Messaging == nil {
			s.Messaging = map[string]secret.String{}
		}
		s.Messaging[strings.ToLower(strings.ReplaceAll(name, "_", "-"))] = secret.NewString(value)
	}
	return err
}

func (a *Admin) set(key, value string) (err error) {
	switch key {
	case "ADMIN_LISTEN":
		a.Listen = value
	case "ADMIN_URL":
		a.URL = value
	case "ADMIN_TRUSTED_PROXIES":
		a.TrustedProxies = list(value, ", ")
	case "ADMIN_OPERATOR_TOKEN":
		a.OperatorToken = secret.NewString(value)
	case "ADMIN_OIDC_ISSUER":
		a.OIDC.Issuer = value
	case "ADMIN_OIDC_CLIENT_ID":
		a.OIDC.ClientID = value
	case "ADMIN_OIDC_CLIENT_SECRET":
		a.OIDC.ClientSecret = secret.NewString(value)
	case "ADMIN_OIDC_NAME":
		a.OIDC.Name = value
	case "ADMIN_OIDC_ROLE_CLAIM":
		a.OIDC.RoleClaim = value
	case "ADMIN_OIDC_TENANT_CLAIM":
		a.OIDC.TenantClaim = value
	case "ADMIN_OIDC_LANDLORD":
		a.OIDC.Landlord = claims(value)
	case "ADMIN_OIDC_TENANT_ADMIN":
		a.OIDC.TenantAdmin = claims(value)
	case "ADMIN_OIDC_READER":
		a.OIDC.Reader = claims(value)
	case "ADMIN_OIDC_TOKEN_DAYS":
		a.OIDC.TokenDays, err = strconv.Atoi(value)
	default:
		return errUnknown
	}
	return err
}

// claims splits at commas only: the values of claims may hold spaces.
func claims(value string) []string {
	var all []string
	for _, v := range list(value, ",") {
		if v = strings.TrimSpace(v); v != "" {
			all = append(all, v)
		}
	}
	return all
}

// list splits a value at any of the separators.
func list(value, separators string) []string {
	return strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(separators, r) })
}

func numbers(texts []string) ([]int, error) {
	var all []int
	for _, text := range texts {
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, err
		}
		all = append(all, n)
	}
	return all, nil
}
