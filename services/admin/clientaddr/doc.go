// Package clientaddr tells from which address a request came, for throttling and
// the audit: what the connection says or, if a proxy that is trusted made it,
// what the proxy says. Console and REST ask it.
//
// Not here: what is done with the address.
package clientaddr
