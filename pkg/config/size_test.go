package config

import (
	"math"
	"testing"
)

func TestParseSize(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{
		"6000000": 6_000_000, "6 MB": 6_000_000, "6MB": 6_000_000, "6m": 6_000_000, "10k": 10_000, "10 kB": 10_000,
		"1.5 MB": 1_500_000, "1 KiB": 1024, "1.5KiB": 1536, "2 gib": 2 << 30, "999 B": 999, " 1 TB ": 1e12,
	} {
		if got, err := ParseSize(s); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "0", "-1", "MB", "1.5", "1.0001 kB", "6 XB", "1 iB", "9999999999 TB", "1e6", "1,5 MB", "0x10", "6 MB MB"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("ParseSize(%q) = %d; want an error", s, got)
		}
	}
}

func TestFormatSize(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		6_000_000: "6 MB", 10_000: "10 kB", 999: "999 B", 1_500_000: "1.5 MB", 1_234_567: "1234.567 kB", 1_001: "1.001 kB", 2e12: "2 TB",
		100_000: "100 kB",
	} {
		if got := FormatSize(n); got != want {
			t.Errorf("FormatSize(%d) = %q, want %q", n, got, want)
		}
	}
}

func FuzzSize(f *testing.F) {
	f.Add("6 MB", int64(6_000_000))
	f.Add("1.5KiB", int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, s string, n int64) {
		if got, err := ParseSize(s); err == nil && got <= 0 {
			t.Errorf("ParseSize(%q) = %d", s, got)
		}
		if n <= 0 {
			return
		}
		if got, err := ParseSize(FormatSize(n)); err != nil || got != n {
			t.Errorf("ParseSize(FormatSize(%d)) = %d, %v", n, got, err)
		}
	})
}
