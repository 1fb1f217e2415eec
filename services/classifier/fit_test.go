package classifier

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

// widest has as many clones and recipients as asked for, whose texts are as
// long as the schema allows.
func widest(clones, recipients int, character string) schemas.Decision {
	d := schemas.Decision{Verdict: schemas.Accepted, Revision: 1 << 53, ClassifiedAt: time.Date(2026, 8, 22, 10, 0, 0, 123456789, time.UTC)}
	for i := range clones {
		d.Clones = append(d.Clones, schemas.Clone{
			Folder: fmt.Sprintf("%063d", i), FolderName: strings.Repeat(character, 200),
			Address: strings.Repeat(character, 320), Header: "X-Original-To", Rule: schemas.RuleExact,
		})
	}
	for range recipients {
		d.Recipients = append(d.Recipients, schemas.Recipient{
			Address: strings.Repeat(character, 320), Header: "X-Original-To", Folder: strings.Repeat("f", 63), Used: true,
		})
	}
	return d
}

// Characters of one octet, of four, and the one that JSON writes with six.
var characters = []string{"a", "\U0001F4EC", "\x00"}

func TestWhateverIsDecidedFits(t *testing.T) {
	t.Parallel()
	for _, character := range characters {
		for _, clones := range []int{1, 300, schemas.MaxClones} {
			before := widest(clones, 100, character)
			got, err := fit(before)
			if err != nil {
				t.Fatalf("%d clones of %q: %v", clones, character, err)
			}
			size, err := octets(got)
			if err != nil || size > schemas.MaxDecision {
				t.Errorf("%d clones of %q: %d octets, %v; at most %d are allowed", clones, character, size, err, schemas.MaxDecision)
			}
			for i := range before.Clones {
				if c := got.Clones[i]; c.Folder != before.Clones[i].Folder || c.Rule != schemas.RuleExact || c.Address == "" || c.FolderName == "" {
					t.Fatalf("%d clones of %q: clone %d is %+v", clones, character, i, c)
				}
			}
			if !slices.Equal(before.Clones, widest(clones, 0, character).Clones) {
				t.Errorf("%d clones of %q: what was given is changed", clones, character)
			}
		}
	}
}

func TestOrdinaryDecisionsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, d := range []schemas.Decision{
		{Verdict: schemas.Invalid, Reason: schemas.ReasonUnparsable},
		widest(100, 100, "a"),
		widest(100, 100, "\x00"),
		widest(700, 100, "a"),
	} {
		got, err := fit(d)
		if !reflect.DeepEqual(got, d) || err != nil {
			t.Errorf("%d clones and %d recipients are changed, %v", len(d.Clones), len(d.Recipients), err)
		}
	}
}

func TestRecipientsGiveWayFirst(t *testing.T) {
	t.Parallel()
	const clones = 880 // with 100 recipients they do not fit, with some they do
	d := widest(clones, 100, "a")
	got, err := fit(d)
	if err != nil || len(got.Recipients) == 0 || len(got.Recipients) == 100 {
		t.Errorf("%d recipients are left of 100, %v", len(got.Recipients), err)
	}
	if !slices.Equal(got.Recipients, d.Recipients[:len(got.Recipients)]) {
		t.Error("they are not the first ones")
	}
	if !slices.Equal(got.Clones, d.Clones) {
		t.Error("the clones are changed")
	}
}

func TestMoreClonesThanAnEventCarriesAreAnError(t *testing.T) {
	t.Parallel()
	_, err := fit(widest(schemas.MaxClones+1, 0, "a"))
	if !fault.IsPermanent(err) || !strings.Contains(err.Error(), "1001 folders") {
		t.Errorf("error is %v; want a permanent one that names the number", err)
	}
}
