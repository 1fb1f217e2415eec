package standalone

import "sync"

// Notes are lines that /readyz tells besides whether the process is ready: what
// is amiss and does not keep it from its work. They are safe for concurrent use.
type Notes struct {
	mu      sync.Mutex
	sources []func() []string
}

// Add adds a source of lines, which is asked each time.
func (n *Notes) Add(source func() []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sources = append(n.sources, source)
}

func (n *Notes) lines() (all []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, source := range n.sources {
		all = append(all, source()...)
	}
	return all
}
