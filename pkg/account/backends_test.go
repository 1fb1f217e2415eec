//go:build !full

package account_test

func backends() map[string]backend { return map[string]backend{"sqlite": sqliteBackend} }
