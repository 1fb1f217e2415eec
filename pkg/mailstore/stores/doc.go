// Package stores opens the messaging databases that an installation names. It
// is the only package that knows both back ends.
package stores
