package classifier

import (
	"fmt"
	"slices"

	"github.com/mailyard/mailyard/pkg/fault"
	"github.com/mailyard/mailyard/schemas"
)

// fit returns the decision in at most schemas.MaxDecision octets. What only
// explains it gives way: the recipients first, then, of clones, addresses and
// folder names. No clone is ever left out: a mail with more of them than an
// event may carry is an error.
func fit(d schemas.Decision) (schemas.Decision, error) {
	if len(d.Clones) > schemas.MaxClones {
		return d, fault.Permanent(fmt.Errorf("the mail is addressed to %d folders of the mailbox, at most %d are possible: take folders out of the mailbox", len(d.Clones), schemas.MaxClones))
	}
	size, err := octets(d)
	for err == nil && size > schemas.MaxDecision && len(d.Recipients) > 0 {
		d.Recipients = d.Recipients[:len(d.Recipients)/2]
		size, err = octets(d)
	}
	if err != nil || size <= schemas.MaxDecision {
		return d, err
	}
	d.Clones = slices.Clone(d.Clones)
	for limit := 160; err == nil && size > schemas.MaxDecision && limit > 0; limit /= 2 {
		for i := range d.Clones {
			c := &d.Clones[i]
			c.Address, c.FolderName = clip(c.Address, limit), clip(c.FolderName, limit)
		}
		size, err = octets(d)
	}
	return d, err
}

// octets is the length of a decision on the wire.
func octets(d schemas.Decision) (int, error) {
	line, err := schemas.ClassifiedMail{Decision: d}.MarshalBinary()
	if err != nil {
		return 0, fault.Permanent(err)
	}
	return len(line) - len("\n"), nil
}

// clip returns at most n characters of s.
func clip(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
