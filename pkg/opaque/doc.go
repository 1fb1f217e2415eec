// Package opaque turns numbers that count for the whole installation, such as
// revisions and sequences, into tokens that tell nothing, and back. From the
// gaps between plain numbers the people of one tenant could tell how much the
// others do.
//
// Not here: where the key is kept (package control) and which numbers are sealed
// (services/admin/operation).
package opaque
