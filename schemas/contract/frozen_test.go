package contract_test

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/mailyard/mailyard/schemas"
)

const howToChange = `A schema that was released is not changed: those who depend on it would not know.
 - What receivers can ignore (an optional attribute or property, looser bounds, a better description)
   may be added within the version. Say so in the change, then run in schemas/:
       sha256sum events/*.json > frozen.sum
 - Anything else is a new version: a new file and type beside the old one, both sent for a while.`

func TestReleasedSchemasStayAsTheyAre(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../frozen.sum")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	frozen := map[string]bool{}
	for s := bufio.NewScanner(f); s.Scan(); {
		want, name, _ := strings.Cut(s.Text(), "  ")
		frozen[name] = true
		raw, err := schemas.EventFiles.ReadFile(name)
		if err != nil {
			t.Errorf("%s is gone: %v\n%s", name, err, howToChange)
			continue
		}
		if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != want {
			t.Errorf("%s has changed\n%s", name, howToChange)
		}
	}
	for _, event := range schemas.Events() {
		if !frozen[event.File()] {
			t.Errorf("%s is not in frozen.sum\n%s", event.File(), howToChange)
		}
	}
}
