// Package oidctest is an identity provider for tests: it signs in whoever asks,
// as whom the test says, and forges what the test says. Nothing but tests imports
// it.
package oidctest
