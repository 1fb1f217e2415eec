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
		s.InsecureHosts = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
	case "HEALTH_ADDR":
		s.Health = value
	case "LOG_LEVEL":
		s.LogLevel = value
	case "GRACE":
		s.Grace, err = time.ParseDuration(value)
	case "LEASE_TTL":
		s.LeaseTTL, err = time.ParseDuration(value)
	default:
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
