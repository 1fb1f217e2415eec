// Package admintest furnishes an office for the tests of the doors of the
// administration: a desk with everything that it needs, two tenants that must
// not see each other, and people with their API tokens. Nothing but tests
// imports it.
package admintest
