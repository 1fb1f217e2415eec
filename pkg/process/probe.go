package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// probeTime bounds one Probe.
const probeTime = 5 * time.Second

// Probe asks the process that serves its health on an address, as Options.Health
// gives it, for /healthz. A container without a shell checks itself with it.
func Probe(ctx context.Context, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("checking health: no address to ask: set health, or MAILYARD_HEALTH_ADDR, such as :8080: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost" // it listens on all addresses; whichever family, this one is among them
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("checking health: %w", err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // no proxy
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("checking health: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 200)) // for the message only
		return fmt.Errorf("checking health: %s: %s", answer.Status, strings.TrimSpace(string(text)))
	}
	return nil
}
