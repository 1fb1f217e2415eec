package mailstore

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// ItemID returns the id of the clone of a mail in a folder: 26 lower-case
// base32 characters (130 bits) derived from both ids, so that every delivery
// computes the same.
func ItemID(mailID, folder string) string {
	sum := sha256.Sum256([]byte(mailID + "/" + folder))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}
