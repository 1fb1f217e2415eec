package deployment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
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
func Load(base Settings, path string, environ []string) (Settings, error) {
	s := base
	s.Messaging = maps.Clone(base.Messaging)
	if path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return Settings{}, fmt.Errorf("reading settings: %w", err)
		}
		d := yaml.NewDecoder(bytes.NewReader(raw))
		d.KnownFields(true)
		if err := d.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
			return Settings{}, fmt.Errorf("reading settings %s: %w", path, err)
		}
	}
	if err := s.applyEnvironment(environ); err != nil {
		return Settings{}, err
	}
	if err := s.Validate(); err != nil {
		return Settings{}, fmt.Errorf("settings are not valid:\n%w", err)
	}
	return s, nil
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
		if k, ok := strings.CutSuffix(key, "_FILE"); ok && k != "MASTER_KEY" {
			raw, err := os.ReadFile(value)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s: %w", name, err))
				continue
			}
			key, value = k, strings.TrimRight(string(raw), "\r\n")
		}
		if err := s.set(key, value); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(problems...)
}

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
		// Other variables of the prefix belong to tests and to the user's documents.
		if name, ok := strings.CutPrefix(key, messagingPrefix); ok && name != "" {
			if s.Messaging == nil {
				s.Messaging = map[string]secret.String{}
			}
			s.Messaging[strings.ToLower(strings.ReplaceAll(name, "_", "-"))] = secret.NewString(value)
		}
	}
	return err
}
