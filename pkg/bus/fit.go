package bus

// EmbeddedBytes is the sensible total for a server inside the process, on a
// laptop or a small machine.
const EmbeddedBytes = 10 * gib

// Bytes returns the sum of the streams' byte limits on one server, what its
// max_file_store must at least be.
func (t Topology) Bytes() int64 {
	var sum int64
	for _, s := range t.Streams {
		sum += s.MaxBytes
	}
	return sum
}

// Fit returns the topology with byte limits that sum up to total at most. Each
// stream keeps a hundredth of the total, so that the small ones stay useful,
// and the rest is shared in proportion. Limits never grow. A total of 0 says
// nothing: the topology stays as it is.
func (t Topology) Fit(total int64) Topology {
	sum := t.Bytes()
	if sum <= total || total == 0 {
		return t
	}
	least := total / 100
	rest := float64(total-least*int64(len(t.Streams))) / float64(sum)
	fitted := Topology{Consumers: t.Consumers}
	for _, s := range t.Streams {
		s.MaxBytes = min(s.MaxBytes, least+int64(float64(s.MaxBytes)*rest))
		fitted.Streams = append(fitted.Streams, s)
	}
	return fitted
}
