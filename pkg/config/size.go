package config

import (
	"cmp"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
)

var decimalUnits = [...]struct {
	name string
	size int64
}{{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}}

// ParseSize reads a size as a person writes it: "6000000", "6 MB", "1.5 MiB",
// "10k". Without an i, units are powers of 1000. The result is in bytes, above
// 0. Documents hold numbers; this is for forms and command lines.
func ParseSize(s string) (int64, error) {
	m := regexp.MustCompile(`^(\d{1,19}(?:\.\d{1,19})?) ?([kKmMgGtT]?)([iI]?)[bB]?$`).FindStringSubmatch(strings.TrimSpace(s))
	if m == nil || m[2] == "" && m[3] != "" {
		return 0, fmt.Errorf("%q is not a size, such as 6000000, 6 MB or 512 KiB", shorten(s))
	}
	base := int64(1000)
	if m[3] != "" {
		base = 1024
	}
	n, _ := new(big.Rat).SetString(m[1]) // the expression lets nothing else through
	for range strings.Index("-kmgt", cmp.Or(strings.ToLower(m[2]), "-")) {
		n.Mul(n, new(big.Rat).SetInt64(base))
	}
	switch {
	case !n.IsInt():
		return 0, fmt.Errorf("%q is not a whole number of bytes", shorten(s))
	case n.Sign() <= 0 || !n.Num().IsInt64():
		return 0, fmt.Errorf("%q is out of range", shorten(s))
	}
	return n.Num().Int64(), nil
}

// FormatSize writes a size so that ParseSize reads the same: "6 MB",
// "1.5 kB", "999 B".
func FormatSize(n int64) string {
	for _, u := range decimalUnits {
		if n >= u.size && n%(u.size/1000) == 0 {
			return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%d.%03d", n/u.size, n%u.size/(u.size/1000)), "0"), ".") + " " + u.name
		}
	}
	return strconv.FormatInt(n, 10) + " B"
}
