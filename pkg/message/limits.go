package message

// MaxHeader is how many bytes of a header section are looked at. Fields beyond
// are ignored, with a defect.
const MaxHeader = 256 << 10

// Limits bound the work that Parse does for one mail. What exceeds a limit is a
// defect, never a failure, and stays reachable in the raw mail. A limit that is
// zero or less is that of DefaultLimits.
type Limits struct {
	Depth      int // of nested multiparts; a deeper one is one attachment
	Parts      int // counted over the whole mail; what follows is one attachment
	PartHeader int // bytes of a part's header section that are looked at
	Text       int // bytes of Message.Text
	HTML       int // bytes of Message.HTML
}

// DefaultLimits returns the limits that no ordinary mail comes near.
func DefaultLimits() Limits {
	return Limits{Depth: 50, Parts: 1000, PartHeader: 64 << 10, Text: 4 << 20, HTML: 4 << 20}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, f := range []struct{ have, def *int }{
		{&l.Depth, &d.Depth}, {&l.Parts, &d.Parts}, {&l.PartHeader, &d.PartHeader}, {&l.Text, &d.Text}, {&l.HTML, &d.HTML},
	} {
		if *f.have <= 0 {
			*f.have = *f.def
		}
	}
	return l
}
