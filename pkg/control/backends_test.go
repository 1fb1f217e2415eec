//go:build !full

package control_test

func backends() map[string]backend { return map[string]backend{"sqlite": sqliteBackend} }
